/** Builds the tasks of a job and fills them from the checkpoint that it continues from. */

import type { OperatorManifest, SegmentRef } from "../checkpoint/manifest.js";
import { TaskChain } from "../checkpoint/task-chain.js";
import type { Clock } from "../contracts/clock.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Fence } from "../contracts/store.js";
import type { SegmentNames } from "../coordinator/checkpoint-work.js";
import type { Compression } from "../segment/format.js";
import { assignSegments, operatorParts } from "../restore/assign.js";
import { convertTtl, type TtlChange, ttlChanges } from "../restore/convert-ttl.js";
import { keyMigration } from "../restore/key-migration.js";
import { isOtherKey } from "../restore/key-path.js";
import { loadEntries, loadTables } from "../restore/load.js";
import { loadFromStore, restoreStore } from "../restore/restore-store.js";
import { rehearseMigrations } from "../restore/rehearse.js";
import { liveEntries, movedEntries } from "../restore/rewrite.js";
import { storedOperator } from "../restore/stored-operator.js";
import { dealOperatorState, type OperatorShare } from "../restore/operator-state.js";
import type { FoundCheckpoint, JobPlace } from "../restore/restore-source.js";
import { watermarksBefore } from "../restore/watermarks-before.js";
import { Slicer } from "../segment/slicer.js";
import type { WatermarkOf } from "../state/sweep.js";
import { STRETCH_ROWS } from "../table/frozen-rows.js";
import { ValueMigrations, withFormerCodecs } from "../restore/value-migration.js";
import type { TaskStore } from "../stored/task-store.js";
import { Epoch } from "../table/epoch.js";
import type { StateTable } from "../table/state-table.js";
import { combinedTime, TaskTime, type TimeSeen } from "../table/task-time.js";
import { type MovedState, moveKeys } from "./move-keys.js";
import type { JobStores } from "./job-stores.js";
import { isOperatorKind, type JudgedTask } from "./plan.js";
import { bindStates, type BuiltTask, buildTask } from "./task.js";

export interface RestoreRequest {
  readonly plan: readonly JudgedTask[];
  readonly found: FoundCheckpoint | undefined;
  readonly place: JobPlace;
  readonly segmentNames: SegmentNames;
  readonly epoch: number;
  readonly clock: Clock;
  readonly compression: Compression;
  readonly stores: JobStores;
  readonly fence: Fence;
}

/**
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if a segment is missing or damaged
 * @throws {StateBackendError} what a store throws
 */
export async function restoreTasks(request: RestoreRequest): Promise<BuiltTask[]> {
  const moved = await moveKeys(request);
  const tasks: BuiltTask[] = [];
  for (const judged of request.plan) tasks.push(await restoreTask(judged, request, moved.get(judged)));
  return tasks;
}

/** Bytes of the segments that the tasks stand on. */
export function restoredBytes(tasks: readonly BuiltTask[]): number {
  const segments = tasks.flatMap(({ runtime }) => runtime.chain.segments);
  return segments.reduce((sum, { visibleBytes }) => sum + visibleBytes, 0);
}

/** @throws {StateBackendError} STATE_INCOMPATIBLE if a value or a key of the checkpoint cannot be migrated */
export async function rehearse(
  plan: readonly JudgedTask[],
  found: FoundCheckpoint | undefined,
  clock: Clock,
): Promise<void> {
  for (const { operator, identity, source, index } of plan) {
    if (found === undefined || source === undefined || index > 0) continue;
    await rehearseMigrations({ operator, states: identity.states, source }, found.place, clock);
  }
}

async function restoreTask(
  judged: JudgedTask,
  request: RestoreRequest,
  moved: MovedState | undefined,
): Promise<BuiltTask> {
  const { found, place, clock, epoch, stores } = request;
  const { operator, identity, groups, source, isSameLayout } = judged;
  const own = { storage: place.storage, prefix: place.names.segments };
  const time = new TaskTime(clock, timeToContinue(judged));
  const store = stores.of(judged);
  const blueprint = { operator, identity, groups, epoch, time, clock, store };
  if (found === undefined || source === undefined) {
    const built = buildTask({ ...blueprint, chain: new TaskChain(own, []) });
    if (store !== undefined) await fillStore(store, { judged, request, built });
    return built;
  }
  const assigned = moved ?? (await assignSegments(source, groups, { place: found.place, isSameLayout }));
  const stored = moved?.stored ?? source.states;
  const codecs = new ValueMigrations(operator, identity.states, stored);
  const segments = withFormerCodecs(assigned.segments, stored, identity.states);
  const theirs = new TaskChain(moved === undefined ? found.place : own, segments, codecs);
  // Keys that have moved are in other key groups than before.
  const before = moved === undefined ? watermarksBefore(source, time) : undefined;
  const changes = ttlChanges(source, identity.states, time, before);
  const isKept = (found.isOwn || moved !== undefined) && changes.size === 0;
  const chain = isKept ? theirs : await copiedChain(theirs, own, { judged, request, changes });
  const built = buildTask({ ...blueprint, chain });
  const inMemory = [...built.states.values()].filter(({ isKeyed }) => store === undefined || !isKeyed);
  const tables = store === undefined ? built.runtime.tables : inMemory.map(({ table }) => table);
  const loaded = store === undefined ? chain.segments : await operatorParts(own, chain.segments);
  await loadTables({ place: own, segments: loaded, tables: byStateId(tables), clock, codecs });
  if (store !== undefined) await fillStore(store, { judged, request, built, codecs, isMoved: moved !== undefined });
  await dropExpired(built, before, clock);
  if (!assigned.hasOperatorState) {
    dealOperatorState(built.states, await operatorShares(judged, request, found), judged);
  }
  return built;
}

/** Brings the store to the chain of the task, and the tables that are in memory all the same to the store. */
async function fillStore(
  store: TaskStore,
  {
    judged,
    request,
    built,
    codecs,
    isMoved = false,
  }: {
    readonly judged: JudgedTask;
    readonly request: RestoreRequest;
    readonly built: BuiltTask;
    readonly codecs?: ValueMigrations;
    /** Whether the chain was written for this restore, so that no store can have any of it. */
    readonly isMoved?: boolean;
  },
): Promise<void> {
  const { place, segments } = built.runtime.chain;
  const { groups, operator, source, isSameLayout } = judged;
  const { job } = request.place;
  const { found, fence, clock, epoch } = request;
  const scope = { job, operator: operator.name, maxParallelism: operator.maxParallelism, groups };
  const applied = await store.open(scope, fence);
  const isRescaled = found?.isOwn === true && !isMoved && !isSameLayout && source !== undefined;
  await restoreStore(store, applied, {
    place,
    segments,
    codecs,
    groups,
    checkpoint: found?.manifest.checkpoint ?? epoch - 1,
    segmentsOf: isRescaled ? (group) => segmentsBefore(source, group) : undefined,
  });
  await loadFromStore(store, built.timers.tables, { groups, clock });
}

function segmentsBefore({ tasks }: OperatorManifest, group: number): readonly SegmentRef[] | undefined {
  return tasks.find(({ keyGroups }) => keyGroups.has(group))?.segments;
}

function byStateId(tables: readonly StateTable[]): ReadonlyMap<number, StateTable> {
  return new Map(tables.map((table) => [table.stateId, table]));
}

/** What has expired, by now or by the watermark of the task that it comes from, is deleted in the first epoch. */
async function dropExpired({ states }: BuiltTask, before: WatermarkOf | undefined, clock: Clock): Promise<void> {
  const slicer = new Slicer(clock);
  for (const { sweep, storedSweep } of states.values()) {
    // What a store has is judged by its own time whenever it is met.
    if (before !== undefined) await storedSweep?.all(before);
    while (sweep !== undefined && !sweep.step(STRETCH_ROWS, before)) if (slicer.isDue()) await slicer.pause();
  }
}

/** The times of the tasks of the checkpoint from which the task takes over keys. */
function timeToContinue({ operator, source, groups }: JudgedTask): TimeSeen {
  if (source === undefined) return combinedTime([]);
  const isFromAll = isOtherKey(operator, source);
  const before = source.tasks.filter(({ keyGroups }) => isFromAll || keyGroups.intersect(groups).count > 0);
  return combinedTime(before.flatMap(({ time }) => time ?? []));
}

/**
 * State of another place is copied into our own before the first record: from then on nothing depends on what is not ours. State whose
 * time to live was turned on or off is rewritten likewise.
 */
async function copiedChain(
  theirs: TaskChain,
  own: TaskChain["place"],
  {
    judged,
    request,
    changes,
  }: {
    readonly judged: JudgedTask;
    readonly request: RestoreRequest;
    readonly changes: ReadonlyMap<number, TtlChange>;
  },
): Promise<TaskChain> {
  if (theirs.segments.length === 0) return new TaskChain(own, []);
  const codecVersions = new Map(judged.identity.states.map(({ id, codec }) => [id, codec.version]));
  const { clock, compression, segmentNames } = request;
  const signal = new AbortController().signal;
  const segment = await segmentNames.use((nextLeaf) =>
    theirs.copyTo(own, { kind: "full", liveRows: 0, nextLeaf, compression, codecVersions, clock, signal }, (entries) =>
      convertTtl(entries, changes),
    ),
  );
  return new TaskChain(own, [segment]);
}

/** What each task of the checkpoint had of operator state. */
async function operatorShares(
  { operator, identity, groups, source }: JudgedTask,
  { clock }: RestoreRequest,
  { place }: FoundCheckpoint,
): Promise<OperatorShare[]> {
  const shares: OperatorShare[] = [];
  if (source === undefined) return shares;
  const { codecs } = storedOperator({ operator, states: identity.states, source }, place);
  const dealt = identity.states.filter(({ kind }) => isOperatorKind(kind));
  for (const task of source.tasks) {
    const states = bindStates(operator, dealt, { groups, epoch: new Epoch(1), time: new TaskTime(clock) });
    const tables = byStateId([...states.values()].map(({ table }) => table));
    const segments = withFormerCodecs(await operatorParts(place, task.segments), source.states, identity.states);
    const entries = await liveEntries({ place, segments, codecs });
    await loadEntries(movedEntries(entries, keyMigration(operator, source) ?? unmoved), tables, new Slicer(clock));
    shares.push(states);
  }
  return shares;
}

function unmoved(key: BinaryKey): BinaryKey {
  return key;
}
