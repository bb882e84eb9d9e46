/**
 * A running task as the coordinator sees it: tables to freeze, a chain to extend, records to wait for.
 */

import type { CodecName, StateManifest } from "../checkpoint/manifest.js";
import type { ChainExtension, TaskChain } from "../checkpoint/task-chain.js";
import type { KeyGroups } from "../key/key-groups.js";
import type { Epoch } from "../table/epoch.js";
import type { TaskTime, TimeSeen } from "../table/task-time.js";
import { FrozenTable } from "../table/frozen-table.js";
import type { TaskStore } from "../stored/task-store.js";
import type { StateTable } from "../table/state-table.js";
import type { MemoryFigures } from "../telemetry/telemetry.js";
import type { InFlight } from "../task/in-flight.js";

/** The operator of a task in the terms of a manifest. */
export interface OperatorIdentity {
  readonly name: string;
  readonly maxParallelism: number;
  readonly keyHash: string;
  readonly key: CodecName;
  readonly states: readonly StateManifest[];
}

export interface TaskRuntime {
  readonly operator: OperatorIdentity;
  readonly groups: KeyGroups;
  readonly epoch: Epoch;
  readonly time: TaskTime;
  /** Whether anything in the task depends on the time, so that it stands in manifests. */
  readonly usesTime: boolean;
  readonly tables: readonly StateTable[];
  readonly chain: TaskChain;
  /** Where the rest of keyed state is, if it is not in memory. */
  readonly store: TaskStore | undefined;
  readonly inFlight: InFlight;
  /** Ends what the task does of itself: no call will be taken any more. */
  stop(): void;
}

/** Ends the epoch of a task. Synchronous, and independent of how much state there is. */
export function freezeTask(task: TaskRuntime): void {
  const bytes = writtenBytes(task);
  const rows = task.tables.map((table) => table.freeze());
  task.chain.freeze(new FrozenTable(rows, { epoch: task.epoch.number, bytes }));
  task.epoch.number++;
}

/**
 * A checkpoint of the task has completed: its store gets the changes, which then need not stay in memory.
 * @throws {StateBackendError} what the store said, if it did not take them: the way back is a restore
 */
export async function applyToStore(
  { store }: TaskRuntime,
  checkpoint: number,
  { segments, frozen }: ChainExtension,
): Promise<void> {
  if (store === undefined) return;
  const mark = { checkpoint, tag: store.tagOf(segments) };
  await store.apply(mark, async (slicer) => frozen.map((table) => table.entries(slicer)));
  const last = frozen.at(-1);
  if (last !== undefined) store.settle(last.epoch);
}

/** A checkpoint of the task has completed: rows of epochs before the oldest that still waits may change again. */
export function settleTask({ epoch, chain }: TaskRuntime): void {
  epoch.settled = (chain.oldestPending ?? epoch.number) - 1;
}

/** Estimated bytes of changes that are in no completed checkpoint. */
export function unsavedBytes(task: TaskRuntime): number {
  return writtenBytes(task) + task.chain.pendingBytes;
}

/** Memory of a job, for whoever wants to know. */
export function memoryOf({ tasks, settings }: MemoryParts): MemoryFigures {
  return {
    memtableBytes: () => tasks.reduce((sum, task) => sum + unsavedBytes(task), 0),
    cacheBytes: () => tasks.reduce((sum, { store }) => sum + (store?.access.budget.cleanBytes ?? 0), 0),
    limitBytes: settings.memoryBytes,
  };
}

interface MemoryParts {
  readonly tasks: readonly TaskRuntime[];
  readonly settings: { readonly memoryBytes: number };
}

function writtenBytes({ tables }: TaskRuntime): number {
  return tables.reduce((sum, table) => sum + table.writtenBytes, 0);
}

/** The time of a task at its barrier, if anything depends on it. */
export function timeSeen({ time, usesTime }: TaskRuntime): TimeSeen | undefined {
  return usesTime ? time.seen() : undefined;
}

export function liveRows(task: TaskRuntime): number {
  return task.tables.reduce((sum, table) => sum + table.liveRows, 0);
}

/** Codec versions by state id, for the footers of segments. */
export function codecVersions(task: TaskRuntime): ReadonlyMap<number, number> {
  return new Map(task.operator.states.map(({ id, codec }) => [id, codec.version]));
}

/** What time it was for the states whose values expire, by id. */
export function stateTimes(
  { operator }: TaskRuntime,
  { processing, watermark }: TimeSeen,
): (stateId: number) => number | undefined {
  const times = new Map<number, number | undefined>();
  for (const { id, ttl } of operator.states) {
    if (ttl !== undefined) times.set(id, ttl.time === "event" ? (watermark ?? undefined) : processing);
  }
  return (stateId) => times.get(stateId);
}
