/**
 * Ends a job with a last checkpoint or savepoint that has everything it did.
 *
 *   no record enters ─▶ those in flight end ─▶ (drain: event timers fire) ─▶ last barrier, nothing enters ─▶ written ─▶ closed
 *                                                                                         └──failed──▶ all goes on
 */

import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Coordinator } from "../coordinator/coordinator.js";
import type { CheckpointInfo } from "../coordinator/history.js";
import type { IntervalTrigger } from "../coordinator/interval.js";
import { type CheckpointTransaction, checkTransaction } from "../coordinator/results.js";
import { isStateBackendError, StateBackendError } from "../errors.js";
import type { JobStores } from "./job-stores.js";
import type { BuiltTask } from "./task.js";

/** How a job is stopped. */
export interface StopOptions<Client = never> {
  /**
   * Where to write a savepoint, a place of its own.
   * @defaultValue a last checkpoint among the others of the job
   */
  readonly savepoint?: CheckpointStorage;
  /**
   * Whether the watermark of every task is advanced to 2^53 − 1 first: all event timers fire, and what expires by event time expires.
   * For a stream that has ended: the watermark does not come back, not even if stopping fails.
   * @defaultValue false
   */
  readonly drain?: boolean;
  /**
   * Writes results in the transaction that completes the last checkpoint, as that of `checkpoint`. Not with `savepoint`.
   * @defaultValue the job's
   */
  readonly transaction?: CheckpointTransaction<Client>;
}

export interface StopScope {
  readonly coordinator: Coordinator;
  readonly trigger: IntervalTrigger;
  readonly stores: JobStores;
  readonly built: readonly BuiltTask[];
  /** Where checkpoints go. */
  readonly storage: CheckpointStorage;
  /** The job's. */
  readonly transaction: CheckpointTransaction | undefined;
}

const NOT_WITH_SAVEPOINT =
  "A savepoint completes no checkpoint, so it writes no results. Call savepoint() first, and then stop() without one.";
const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const OPTIONS: readonly string[] = ["savepoint", "drain", "transaction"] satisfies (keyof StopOptions)[];

interface Stopping {
  readonly savepoint: CheckpointStorage | undefined;
  readonly drain: boolean;
  readonly transaction: CheckpointTransaction | undefined;
}

/** Stops a job, once at a time. */
export class Stopper {
  readonly #scope: StopScope;
  #running: { readonly options: Stopping; readonly stopped: Promise<CheckpointInfo> } | undefined;

  constructor(scope: StopScope) {
    this.#scope = scope;
  }

  /** Joins a call with the same options that is under way. */
  async stop(options: StopOptions): Promise<CheckpointInfo> {
    for (const name of Object.keys(options)) {
      if (!OPTIONS.includes(name)) {
        throw new TypeError(`Unknown option of stop. received=${name} known=${OPTIONS.join(",")}.`);
      }
    }
    const { savepoint, drain = false } = options;
    if (typeof drain !== "boolean") throw new TypeError(`drain is not a boolean. received=${String(drain)}.`);
    const { transaction = this.#scope.transaction } = options;
    checkTransaction(this.#scope.storage, transaction);
    if (savepoint !== undefined && transaction !== undefined) throw new TypeError(NOT_WITH_SAVEPOINT);
    const running = this.#running;
    if (running !== undefined) {
      const { options: known } = running;
      const isSame = known.savepoint === savepoint && known.drain === drain && known.transaction === transaction;
      if (isSame) return running.stopped;
      throw new TypeError("The job is being stopped with other options. Wait for that call.");
    }
    const stopped = stop(this.#scope, { savepoint, drain, transaction }).finally(() => {
      this.#running = undefined;
    });
    this.#running = { options: { savepoint, drain, transaction }, stopped };
    return stopped;
  }
}

async function stop(
  { coordinator, trigger, stores, built: tasks }: StopScope,
  { savepoint, drain, transaction }: Stopping,
): Promise<CheckpointInfo> {
  for (const { runtime } of tasks) runtime.epoch.check();
  try {
    const handling = tasks.map(({ runtime }) => runtime.inFlight.halt()).filter((ended) => ended !== undefined);
    if (handling.length > 0) await Promise.all(handling);
    if (drain) await drainTasks(tasks);
    const last = await coordinator.last(savepoint, transaction);
    trigger.stop();
    await coordinator.close();
    await stores.close();
    return last;
  } catch (error) {
    const isOver = tasks.some(({ runtime }) => runtime.epoch.refusal !== undefined);
    throw isOver || error instanceof TypeError ? error : notStopped(error);
  } finally {
    // Those who wait to enter find the job closed, or go on.
    for (const { runtime } of tasks) runtime.inFlight.goOn();
  }
}

/** @throws {TypeError} if timers are there and nobody handles them; then nothing has changed */
async function drainTasks(tasks: readonly BuiltTask[]): Promise<void> {
  for (const { timers } of tasks) timers.checkHandled(END_OF_TIME);
  await Promise.all(tasks.map(({ timers }) => timers.advanceWatermark(END_OF_TIME)));
}

function notStopped(cause: unknown): StateBackendError {
  const { code, outcome } = isStateBackendError(cause) ? cause : ({ code: "ABORTED", outcome: "not-applied" } as const);
  return new StateBackendError(
    code,
    "The job was not stopped, because its last checkpoint or savepoint failed. It goes on. Repair the cause and stop it again.",
    { cause, outcome },
  );
}
