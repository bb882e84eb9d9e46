/**
 * Opens a job: judges the checkpoint to restore, becomes owner, restores every task, starts the checkpoint loop.
 *
 * Invariants:
 * - Whatever can be refused is refused before ownership is taken: a bad call never fences a job that is running well.
 */

import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Backend, SyncReads } from "../contracts/backend.js";
import type { Clock, Random } from "../contracts/clock.js";
import { systemClock, systemRandom } from "../clock.js";
import { GarbageCollector } from "../checkpoint/garbage.js";
import { Lineage, type Published, readPublished } from "../checkpoint/lineage.js";
import { JobNames } from "../checkpoint/names.js";
import { type CoordinatorParts, SegmentNames } from "../coordinator/checkpoint-work.js";
import { ClaimedSavepoint } from "../coordinator/claimed-savepoint.js";
import { Coordinator } from "../coordinator/coordinator.js";
import type { CheckpointInfo, CompletedCheckpoint } from "../coordinator/history.js";
import type { CheckpointListener } from "../coordinator/listener.js";
import { type CheckpointTransaction, checkTransaction } from "../coordinator/results.js";
import { IntervalTrigger } from "../coordinator/interval.js";
import { type CheckpointOptions, type CheckpointSettings, checkpointSettings } from "../coordinator/options.js";
import { Retention } from "../coordinator/retention.js";
import type { KeyGroups } from "../key/key-groups.js";
import {
  findForeign,
  findIn,
  type FoundCheckpoint,
  type JobPlace,
  type Restore,
  readJobManifest,
} from "../restore/restore-source.js";
import { Slicer } from "../segment/slicer.js";
import { Telemetry } from "../telemetry/telemetry.js";
import type { AnyOperator } from "../task/define-operator.js";
import { asDeclared, type KeyOfOperator, type OperatorTasks } from "./operator-tasks.js";
import { JobStores } from "./job-stores.js";
import { dealKeyGroups, judge, type PlannedTask, planTasks } from "./plan.js";
import { rehearse, restoredBytes, restoreTasks } from "./restore-tasks.js";
import { type StopOptions, Stopper } from "./stop-job.js";
import { type BuiltTask, taskHandle, type TaskOf, withStates } from "./task.js";

/** One task to run, or all tasks of an operator. */
export interface TaskOptions<Declared = AnyOperator> {
  readonly operator: Declared;
  /**
   * The key groups that this task owns.
   * @defaultValue all of the operator's
   */
  readonly keyGroups?: KeyGroups;
  /**
   * Runs the operator as so many tasks, which own all key groups together. Of a restored checkpoint each task keeps the key groups that
   * it had, as far as the balance allows (`stickyKeyGroups`). Not together with `keyGroups`.
   */
  readonly parallelism?: number;
}

/** Where a job runs and from where it continues. */
export interface JobOptions<Sync extends SyncReads, Client = never> extends CheckpointOptions {
  /** Any text; identifies the job's checkpoints in the storage. */
  readonly job: string;
  readonly backend: Backend<Sync, Client>;
  /**
   * Where checkpoints go.
   * @defaultValue the backend's own place
   */
  readonly checkpoints?: CheckpointStorage<Client>;
  /** @defaultValue "latest" */
  readonly restore?: Restore;
  /** Operators of the restored checkpoint that may be left behind, with their state. */
  readonly ignoreOperators?: readonly string[];
  /** Is told what becomes of checkpoints. */
  readonly listener?: CheckpointListener;
  /**
   * Writes results in the transaction that completes a checkpoint: of every checkpoint, automatic ones too, unless its call says otherwise. Where checkpoints
   * go must have transactions. What belongs to a checkpoint is told by `listener.barrier`.
   */
  readonly transaction?: CheckpointTransaction<Client>;
  /** @defaultValue the system's */
  readonly clock?: Clock;
  /** @defaultValue the system's */
  readonly random?: Random;
}

/** What a checkpoint is to be. */
export interface CheckpointRequest<Client = never> {
  /** Whether the whole state is rewritten instead of what changed. */
  readonly full?: boolean;
  /**
   * Writes results in the transaction that completes this checkpoint: they take place if and only if it does. Where checkpoints go must have transactions.
   * @defaultValue the job's
   */
  readonly transaction?: CheckpointTransaction<Client>;
}

/** What can be done with a running job. `Client` is what its transactions write with. */
export interface JobControl<Client = never> {
  /** The checkpoint that the job continues from, if any. */
  readonly restoredFrom: number | undefined;
  /** The last checkpoints, oldest first, failed ones included. */
  readonly checkpoints: readonly CheckpointInfo[];
  /** Ids of the checkpoints that can be restored, ascending. */
  readonly retained: readonly number[];
  /** The last checkpoint that completed since the job was opened, and its age. */
  readonly lastCompleted: CompletedCheckpoint | undefined;
  /** Why garbage could not be removed the last time; it is tried again after every checkpoint. */
  readonly garbageError: unknown;
  /**
   * Takes a checkpoint of everything written before the call, and resolves when it can be restored.
   * @throws {StateBackendError} UNAVAILABLE, LIMIT_EXCEEDED or ABORTED if it failed: nothing is lost, the next one contains it
   * @throws {StateBackendError} FENCED if another process has taken the job over, UNAVAILABLE with `outcome` `unknown` if nobody knows
   * whether it was published; every later call is then refused, and the way back is a restore
   * @throws what `transaction` throws, as it is: the checkpoint is aborted, nothing is lost
   * @throws {TypeError} if `transaction` is given and where checkpoints go there are none
   */
  checkpoint(options?: CheckpointRequest<Client>): Promise<CheckpointInfo>;
  /**
   * Writes everything written before the call to a place of its own: self-contained, never removed by Tidemark.
   * @throws {StateBackendError} as `checkpoint`, and STATE_INCOMPATIBLE if there is a savepoint at that place
   */
  savepoint(target: CheckpointStorage): Promise<CheckpointInfo>;
  /** Resolves when there is room for more changes. Call it between records to bound memory. */
  ready(): Promise<void>;
  /**
   * Ends the job with a last checkpoint, or a savepoint: `process` admits no more records, those in flight are handled, and nothing is
   * processed after its barrier. `process` is then rejected with CLOSED. Changes that are made outside of `process` after the barrier are lost. If it
   * fails, the job goes on. A second call with the same options joins the first. A handler must not wait for it.
   * @throws {StateBackendError} with the code of what failed, or ABORTED; the job goes on. FENCED, POISONED or CLOSED if it does not
   * @throws {TypeError} for unknown options, other options than those of a call under way, or `drain` with timers that nobody handles
   */
  stop(options?: StopOptions<Client>): Promise<CheckpointInfo>;
  /** Ends the job without a checkpoint. Storages are left open: whoever made them closes them. */
  close(): Promise<void>;
}

/** A running job with its tasks, in the order they were given: `OperatorTasks` where `parallelism` was. */
export interface Job<Tasks extends readonly unknown[], Client = never> extends JobControl<Client> {
  readonly tasks: Tasks;
}

type TaskTypes<Tasks extends readonly TaskOptions<unknown>[], Sync extends SyncReads> = {
  readonly [Index in keyof Tasks]: Tasks[Index] extends { readonly parallelism: number }
    ? OperatorTasks<TaskOf<Tasks[Index]["operator"], Sync>, KeyOfOperator<Tasks[Index]["operator"]>>
    : TaskOf<Tasks[Index]["operator"], Sync>;
};

/**
 * Opens a job of several tasks.
 * @throws {StateBackendError} CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT, FORMAT_UNSUPPORTED or STATE_INCOMPATIBLE for the checkpoint to
 * restore; UNAVAILABLE for the storage; FENCED if another process took the job over meanwhile
 * @throws {TypeError | RangeError} for options that cannot be
 */
export async function openJob<
  const Tasks extends readonly TaskOptions<unknown>[],
  Sync extends SyncReads,
  Client = never,
>(options: JobOptions<Sync, Client> & { readonly tasks: Tasks }): Promise<Job<TaskTypes<Tasks, Sync>, Client>> {
  const { job, backend, clock = systemClock } = options;
  const telemetry = new Telemetry(job, clock);
  const started = clock.monotonic();
  const planned = planTasks(job, options.tasks as readonly TaskOptions[]);
  const settings = checkpointSettings(checkpointOptions(options), memoryOf(backend, planned.length));
  const place: JobPlace = { storage: options.checkpoints ?? backend.checkpoints, names: new JobNames(job), job };
  checkTransaction(place.storage, options.transaction);
  const stores = new JobStores(job, backend.store, clock);
  const request: OpenRequest = { options, settings, planned, place, stores, telemetry, clock };
  try {
    await refuseEarly(request);
    const opened = await openTasks(request);
    telemetry.restored(opened.restoredFrom, started, () => restoredBytes(opened.built));
    const trigger = new IntervalTrigger(opened.coordinator, settings, clock);
    const { storage } = place;
    const { transaction } = options;
    const stopper = new Stopper({ ...opened, stores, trigger, storage, transaction });
    return jobHandle({ ...opened, stores, trigger, stopper, storage }) as Job<TaskTypes<Tasks, Sync>, Client>;
  } catch (error) {
    // What is reported is why the job could not be opened.
    await stores.close().catch(() => undefined);
    throw error;
  }
}

interface OpenRequest {
  readonly options: JobOptions<SyncReads> & { readonly tasks: readonly TaskOptions<unknown>[] };
  readonly settings: CheckpointSettings;
  readonly planned: readonly PlannedTask[];
  readonly place: JobPlace;
  readonly stores: JobStores;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Whatever can be refused is refused here, before anybody is fenced. */
async function refuseEarly({ options, planned, place, stores, clock }: OpenRequest): Promise<void> {
  const { restore = "latest", ignoreOperators = [] } = options;
  const seen = await find(restore, place, await readPublished(place.storage, place.names));
  const plan = judge(dealKeyGroups(planned, seen), seen, ignoreOperators);
  await rehearse(plan, seen, clock);
  await stores.prepare(plan);
}

interface OpenedTasks {
  readonly built: readonly BuiltTask[];
  readonly coordinator: Coordinator;
  readonly restoredFrom: number | undefined;
  readonly tasks: readonly unknown[];
}

async function openTasks(request: OpenRequest): Promise<OpenedTasks> {
  const { options, settings, planned, place, stores, telemetry, clock } = request;
  const { restore = "latest", ignoreOperators = [], random = systemRandom } = options;
  const { storage, names, job } = place;
  const { lineage, published } = await Lineage.acquire(storage, names, random);
  const found = await find(restore, place, published);
  const plan = judge(dealKeyGroups(planned, found), found, ignoreOperators);
  const segmentNames = new SegmentNames(lineage);
  const epoch = Math.max(published.highestId, found?.manifest.checkpoint ?? 0) + 1;
  const { compression } = settings;
  const fence = { epoch: lineage.attempt.number, nonce: lineage.attempt.nonce };
  const built = await restoreTasks({ plan, found, place, segmentNames, epoch, clock, compression, stores, fence });
  const parts: CoordinatorParts = {
    job,
    tasks: built.map(({ runtime }) => runtime),
    lineage,
    segmentNames,
    retention: new Retention(settings.retain, published.manifests, (name) =>
      readJobManifest(storage, names, { name, job }),
    ),
    garbage: new GarbageCollector({ storage, names, lineage, clock, graceMs: settings.graceMs }),
    claimed: claimedSavepoint(restore, found, lineage, settings.retain),
    settings,
    telemetry,
    listener: options.listener ?? {},
    transaction: options.transaction,
    clock,
  };
  const restoredFrom = found?.manifest.checkpoint;
  const coordinator = new Coordinator(parts, restoredFrom);
  const services = {
    hasRoom: () => coordinator.hasRoom(),
    ready: () => coordinator.ready(),
    slicer: new Slicer(clock),
    poison: (cause: unknown) => coordinator.poison(cause),
    telemetry,
    timeoutMs: settings.timeoutMs,
  };
  const handles = plan.map(({ operator }, i) => {
    const task = taskHandle(built[i] as BuiltTask, operator, services);
    return withStates(task, task.states);
  });
  const tasks = asDeclared(options.tasks as readonly TaskOptions[], plan, handles);
  return { built, coordinator, restoredFrom, tasks };
}

function find(restore: Restore, place: JobPlace, published: Published): Promise<FoundCheckpoint | undefined> {
  if (restore === "none") return Promise.resolve(undefined);
  return typeof restore === "object" ? findForeign(restore) : findIn(published, place, restore);
}

function claimedSavepoint(
  restore: Restore,
  found: FoundCheckpoint | undefined,
  lineage: Lineage,
  retain: number,
): ClaimedSavepoint | undefined {
  if (typeof restore !== "object" || !("savepoint" in restore) || restore.claim !== true) return undefined;
  if (found === undefined) return undefined;
  return new ClaimedSavepoint({ storage: restore.savepoint, manifest: found.manifest, lineage, retain });
}

interface JobInside {
  readonly coordinator: Coordinator;
  readonly stores: JobStores;
  readonly trigger: IntervalTrigger;
  readonly stopper: Stopper;
  readonly restoredFrom: number | undefined;
  readonly tasks: readonly unknown[];
  readonly storage: CheckpointStorage;
}

function jobHandle(inside: JobInside): Job<readonly unknown[]> {
  const { coordinator, stores, trigger, stopper, restoredFrom, tasks, storage } = inside;
  return Object.freeze({
    tasks: Object.freeze(tasks),
    restoredFrom,
    get checkpoints() {
      return coordinator.history;
    },
    get retained() {
      return coordinator.retained;
    },
    get lastCompleted() {
      return coordinator.lastCompleted;
    },
    get garbageError() {
      return coordinator.garbageError;
    },
    async checkpoint({ full = false, transaction } = {}) {
      checkTransaction(storage, transaction);
      return coordinator.checkpoint(full ? "full" : "incremental", transaction);
    },
    savepoint: (target) => coordinator.savepoint(target),
    ready: () => coordinator.ready(),
    stop: (stop = {}) => stopper.stop(stop),
    async close() {
      trigger.stop();
      await coordinator.close();
      await stores.close();
    },
  });
}

const JOB_OPTIONS: ReadonlySet<string> = new Set<keyof JobOptions<boolean> | "tasks" | "keyGroups">([
  "job",
  "backend",
  "checkpoints",
  "restore",
  "ignoreOperators",
  "listener",
  "transaction",
  "clock",
  "random",
  "tasks",
  "keyGroups",
]);

/** What the stores of a backend leave room for, if it says so. */
function memoryOf({ store }: Backend<SyncReads>, tasks: number): Pick<CheckpointOptions, "memoryBytes"> {
  return store?.memtableBytes === undefined ? {} : { memoryBytes: store.memtableBytes * tasks };
}

/** What is not an option of the job is one of its checkpoints, or none. */
function checkpointOptions(options: object): CheckpointOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !JOB_OPTIONS.has(name)));
}
