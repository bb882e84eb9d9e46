/** Tidemark core: keyed state, checkpoints, and the contracts that adapters implement. */

export { ByteReader } from "./bytes/byte-reader.js";
export { ByteWriter } from "./bytes/byte-writer.js";
export { systemClock, systemRandom } from "./clock.js";
export type { Backend, StoreProvider, SyncReads } from "./contracts/backend.js";
export type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  NameGuard,
  PutOutcome,
  StoredObject,
  TransactionalOutcome,
  TransactionalPut,
} from "./contracts/checkpoint-storage.js";
export type { Clock, Random, Timer } from "./contracts/clock.js";
export type { Codec, DecodedKey, FormerCodec, FormerKeyCodec, KeyCodec, KeyIdentity } from "./contracts/codec.js";
export type {
  AppliedGroups,
  Change,
  Delta,
  Fence,
  KeyRange,
  Store,
  StoreEntry,
  StoreMark,
  TaskScope,
} from "./contracts/store.js";
export type { CheckpointInfo, CompletedCheckpoint } from "./coordinator/history.js";
export type { CheckpointListener } from "./coordinator/listener.js";
export type { CheckpointOptions } from "./coordinator/options.js";
export type { CheckpointTransaction, TransactionScope } from "./coordinator/results.js";
export {
  type ErrorCode,
  type ErrorDetails,
  hasCode,
  isStateBackendError,
  type Outcome,
  quoted,
  StateBackendError,
} from "./errors.js";
export {
  type CheckpointRequest,
  type Job,
  type JobControl,
  type JobOptions,
  openJob,
  type TaskOptions,
} from "./job/open-job.js";
export type { KeyOfOperator, OperatorTasks } from "./job/operator-tasks.js";
export { type OpenTaskOptions, openTask, type SoleTask } from "./job/open-task.js";
export type { StateHandles, Task, TaskControl, TaskOf, TimersOf } from "./job/task.js";
export type { BinaryKey } from "./key/binary-key.js";
export {
  bigint,
  bytes,
  type KeyEncoding,
  keyCodec,
  type KeyOf,
  number,
  scalar,
  type ScalarKey,
  string,
  tuple,
} from "./key/key-codecs.js";
export { evolvedKey, formerKey } from "./key/evolved-key.js";
export { keyGroupOf, type KeyGroupRange, KeyGroups, splitKeyGroups } from "./key/key-groups.js";
export { stickyKeyGroups } from "./key/sticky-key-groups.js";
export { murmur3 } from "./key/murmur3.js";
export type { ForeignRestore, OwnRestore, Restore, SavepointRestore } from "./restore/restore-source.js";
export { rekeySavepoint, type RekeyedSavepoint, type RekeyOptions } from "./savepoint/rekey-savepoint.js";
export type { Compression } from "./segment/format.js";
export {
  type Aggregate,
  type AggregatingDescriptor,
  aggregating,
  broadcast,
  type BroadcastDescriptor,
  type CodecOption,
  list,
  type ListDescriptor,
  map,
  type MapDescriptor,
  type MapOptions,
  namespaced,
  type NamespacedDescriptor,
  type OperatorListDescriptor,
  type PlainDescriptor,
  type Reduce,
  type ReducingDescriptor,
  reducing,
  splitList,
  type StateDescriptor,
  unionList,
  value,
  type ValueDescriptor,
  type ValueOptions,
} from "./state/descriptors.js";
export type * from "./state/handles.js";
export type { TtlOption, TtlOptions, TtlSettings } from "./state/ttl.js";
export type { HandleOf } from "./state/handle-types.js";
export { Calls } from "./storage/calls.js";
export { memoryStorage, type MemoryStorageOptions } from "./storage/memory-storage.js";
export { memoryStore, type MemoryStoreOptions } from "./storage/memory-store.js";
export { isObjectNamePart, partsOfObjectName, partsOfObjectPrefix } from "./storage/object-name.js";
export {
  type AnyOperator,
  defineOperator,
  type Operator,
  type OperatorOptions,
  type StateDescriptors,
  type TimersDeclaration,
} from "./task/define-operator.js";
export type { StopOptions } from "./job/stop-job.js";
export type { ProcessOptions } from "./task/process.js";
export type { FiredTimer, TimerEntry, TimerHandler, Timers, TimersOfKind } from "./task/timers.js";
export type {
  CheckpointEndMessage,
  CheckpointStartMessage,
  CheckpointSubsumedMessage,
  MemoryMessage,
  RestoreMessage,
  StateAccessMessage,
  TelemetryMessages,
} from "./telemetry/messages.js";
export { avro, type AvroCheckOptions, type AvroOptions, type AvroType, type FormerAvroType } from "./value/avro.js";
export { blob, codec, float64, integer, json, text, type ValueEncoding } from "./value/codecs.js";
export { evolved, former } from "./value/evolved.js";
export { structured } from "./value/structured-codec.js";
export {
  type SchemaIssue,
  type SchemaOutput,
  type SchemaResult,
  type StandardSchema,
  validated,
} from "./value/validated.js";
