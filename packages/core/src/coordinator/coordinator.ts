/**
 * The flow of checkpoints of one job, over all its tasks.
 *
 *   trigger ─▶ barrier: no record enters, those in flight end, every task freezes in one synchronous step   (#barrier)
 *           ─▶ frozen tables are encoded and uploaded while processing goes on, until all tasks have       (uploadCheckpoint)
 *           ─▶ in order of the ids: what was frozen joins the chain, the manifest is published             (Publisher)
 *           ─▶ tasks adopt their new chains, older checkpoints are subsumed, garbage is collected          (Publisher)
 *   failed before publishing ─▶ aborted: what was frozen is in the next checkpoint
 *   published or not, nobody knows; or a newer owner ─▶ poisoned: the way back is a restore
 *
 * Invariants:
 * - Checkpoints and savepoints have their barriers in the order of the calls; ids ascend and are never used twice by an attempt.
 * - At most `concurrentMax` incremental checkpoints are between barrier and end at one time; full ones and savepoints have none beside them.
 * - They end, and everybody is told, in the order of the ids, whichever way they end. Garbage is collected in the turn of one of them.
 * - All tasks are frozen at the same moment.
 */

import type { SegmentRef } from "../checkpoint/manifest.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Barrier, CheckpointSizes, CoordinatorParts, Work } from "./checkpoint-work.js";
import { Deadline } from "./deadline.js";
import { Failures } from "./failures.js";
import { type CheckpointInfo, type CompletedCheckpoint, History } from "./history.js";
import { PendingCheckpoint } from "./pending-checkpoint.js";
import { Publisher } from "./publisher.js";
import { writeSavepoint } from "./savepoint.js";
import { freezeTask, liveRows, memoryOf, timeSeen, unsavedBytes } from "./task-runtime.js";
import type { TaskUpload } from "./task-uploads.js";
import { type Turn, Turns } from "./turns.js";
import type { CheckpointTransaction } from "./results.js";

/** Share of `memoryBytes` at which a checkpoint is asked for. */
const EARLY_SHARE = 0.6;
/** Between a failed checkpoint that was to make room and the next. */
const RETRY_PAUSE_MS = 500;

/** Synchronous up to where what was frozen is taken. */
type Run<Result> = (work: Work<Result>) => Promise<CheckpointSizes>;

interface TurnOf<Kind extends CheckpointInfo["kind"] = CheckpointInfo["kind"]> extends Turn {
  readonly kind: Kind;
  /** Whether the job ends with it. */
  readonly isLast: boolean;
  /** Results that take place with it. */
  readonly transaction?: CheckpointTransaction | undefined;
}

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #history = new History();
  readonly #turns: Turns;
  /** The last one that had its barrier. */
  #latest: { readonly isEnded: boolean; readonly whenEnded: Promise<void> } | undefined;
  readonly #failures: Failures;
  readonly #publisher: Publisher;
  /** Checkpoints and savepoints that were asked for and have not ended. */
  #underWay = 0;
  /** Ends when all that were asked for have. */
  #tail: Promise<void> = Promise.resolve();
  #early: Promise<void> | undefined;
  /** Automatic checkpoints that failed in a row. */
  #failedInRow = 0;

  constructor(parts: CoordinatorParts, restoredFrom: number | undefined) {
    this.#parts = parts;
    const { tasks, settings, listener } = parts;
    this.#failures = new Failures(tasks, listener);
    this.#publisher = new Publisher(parts, this.#failures, restoredFrom);
    this.#turns = new Turns(settings.concurrentMax, () => tasks.every(({ chain }) => chain.hasRoom));
  }

  get history(): readonly CheckpointInfo[] {
    return this.#history.entries;
  }

  /** Ids of the checkpoints that can be restored, ascending. */
  get retained(): readonly number[] {
    return this.#parts.retention.ids;
  }

  /** The last checkpoint that this coordinator completed. */
  get lastCompleted(): CompletedCheckpoint | undefined {
    return this.#publisher.lastCompleted;
  }

  /** Whether an incremental checkpoint would have to wait. */
  get isBusy(): boolean {
    return this.#turns.isFull;
  }

  /** Why garbage could not be removed the last time; it is tried again after every checkpoint. */
  get garbageError(): unknown {
    return this.#publisher.garbageError;
  }

  /** Takes a checkpoint. If nothing has to be waited for and no record is in flight, the barrier comes before the first promise. */
  checkpoint(
    kind: "incremental" | "full",
    transaction: CheckpointTransaction | undefined = this.#parts.transaction,
  ): Promise<CheckpointInfo> {
    return this.#checkpoint({ kind, isExclusive: kind === "full", isLast: false, transaction });
  }

  /** Writes the whole state to a storage of its own. The chain of checkpoints does not change. */
  savepoint(target: CheckpointStorage): Promise<CheckpointInfo> {
    return this.#savepoint(target, { kind: "savepoint", isExclusive: true, isLast: false });
  }

  /**
   * A last checkpoint, or savepoint: nothing enters from its barrier on, and then the tasks are closed. If it fails, all goes on.
   */
  last(
    savepoint: CheckpointStorage | undefined,
    transaction: CheckpointTransaction | undefined = this.#parts.transaction,
  ): Promise<CheckpointInfo> {
    const exclusive = { isExclusive: true, isLast: true } as const;
    if (savepoint === undefined) return this.#checkpoint({ kind: "incremental", ...exclusive, transaction });
    return this.#savepoint(savepoint, { kind: "savepoint", ...exclusive });
  }

  #checkpoint(turn: TurnOf<"incremental" | "full">): Promise<CheckpointInfo> {
    const { kind, transaction } = turn;
    return this.#inTurn<TaskUpload>(turn, (work) => this.#publisher.publish({ kind, transaction }, work));
  }

  #savepoint(target: CheckpointStorage, turn: TurnOf<"savepoint">): Promise<CheckpointInfo> {
    return this.#inTurn<SegmentRef>(turn, (work) => {
      const { parent } = this.#publisher;
      return this.#publisher.asOwner(writeSavepoint(this.#parts, target, { ...work, parent }));
    });
  }

  /**
   * A checkpoint that nobody asked for by hand. Its failure is in the history; too many in a row poison the tasks.
   */
  async automatic(): Promise<void> {
    const { settings } = this.#parts;
    try {
      await this.checkpoint("incremental");
      this.#failedInRow = 0;
    } catch (error) {
      this.#failedInRow++;
      if (this.#failedInRow > settings.toleratedFailures) this.poison(error);
    }
  }

  /** Resolves when there is room for more changes; starts a checkpoint when it is getting short. */
  async ready(): Promise<void> {
    while (!this.hasRoom()) await this.#early;
  }

  /** Whether there is room for more changes; starts a checkpoint when it is getting short. */
  hasRoom(): boolean {
    const { tasks, settings } = this.#parts;
    for (const { epoch } of tasks) epoch.check();
    const used = tasks.reduce((sum, task) => sum + unsavedBytes(task), 0);
    if (used < settings.memoryBytes * EARLY_SHARE) return true;
    this.#early ??= this.#makeRoom();
    return used < settings.memoryBytes;
  }

  /** Refuses all further calls of the tasks. */
  poison(cause: unknown): void {
    this.#failures.poison(cause);
  }

  /** Refuses all further calls; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#failures.close();
    while (this.#underWay > 0) await this.#tail;
  }

  async #makeRoom(): Promise<void> {
    const { clock } = this.#parts;
    await this.automatic();
    if (this.#failedInRow > 0) {
      await new Promise<void>((resolve) => {
        clock.schedule(RETRY_PAUSE_MS, resolve, true);
      });
    }
    this.#early = undefined;
  }

  #inTurn<Result>(turn: TurnOf, run: Run<Result>): Promise<CheckpointInfo> {
    const ended = this.#take(turn, run);
    // Who waits begins after those who wait for this one.
    const next = (): void => this.#turns.next();
    this.#tail = Promise.all([this.#tail, ended.then(next, next)]).then(ignore);
    return ended;
  }

  /** Synchronous up to the barrier if there is room. Ended, also for those who call next, when its promise settles. */
  async #take<Result>(turn: TurnOf, run: Run<Result>): Promise<CheckpointInfo> {
    const begun = this.#turns.enter(turn);
    this.#underWay++;
    try {
      if (begun !== undefined) await begun;
      return await this.#run(turn, run);
    } finally {
      this.#underWay--;
      this.#turns.leave(turn);
    }
  }

  async #run<Result>(turn: TurnOf, run: Run<Result>): Promise<CheckpointInfo> {
    const { clock, settings, tasks, telemetry } = this.#parts;
    const { kind, isLast } = turn;
    const isHeld = isLast || !settings.asyncSnapshots;
    for (const { epoch } of tasks) epoch.check();
    const memory = memoryOf(this.#parts);
    const started = clock.monotonic();
    const found = this.#barrier(isHeld);
    const barrier = found instanceof Promise ? await found : found;
    telemetry.barrier(barrier.id, kind, memory);
    const deadline = new Deadline(clock, settings.timeoutMs);
    const pending = this.#begin<Result>(barrier.id);
    const ended = (): Pick<CheckpointInfo, "id" | "kind" | "syncPauseMs" | "durationMs" | "endedAt"> => ({
      id: barrier.id,
      kind,
      syncPauseMs: barrier.syncPauseMs,
      durationMs: clock.monotonic() - started,
      endedAt: clock.now(),
    });
    try {
      const running = run({ pending, barrier, deadline });
      this.#turns.frozen(turn);
      const sizes = await running;
      const info = telemetry.ended(this.#history.add({ ...ended(), ...sizes, status: "completed" }), memory);
      if (isLast) {
        this.#failures.tell((listener) => listener.stopped?.(barrier.id));
        this.#failures.close();
      }
      return info;
    } catch (error) {
      if (pending.turn !== undefined) await pending.turn;
      const failed = { ...ended(), fullBytes: 0, incrementalBytes: 0, status: "failed", error } as const;
      telemetry.ended(this.#history.add(failed), memory);
      // Of a poisoned task nobody knows, or it is for the newer owner to say.
      if (kind !== "savepoint" && !this.#failures.isPoisoned) {
        this.#failures.tell((listener) => listener.aborted?.(barrier.id));
      }
      throw error;
    } finally {
      deadline.end();
      pending.end();
      if (isHeld) this.#admit();
    }
  }

  #begin<Result>(checkpoint: number): PendingCheckpoint<Result> {
    const { lineage, tasks } = this.#parts;
    const pending = new PendingCheckpoint<Result>({
      attempt: lineage.attempt.number,
      checkpoint,
      taskCount: tasks.length,
      turn: this.#latest === undefined || this.#latest.isEnded ? undefined : this.#latest.whenEnded,
    });
    this.#latest = pending;
    return pending;
  }

  /** Freezes every task at one moment, and lets records in again unless they are held. A promise only if records are in flight. */
  #barrier(isHeld: boolean): Barrier | Promise<Barrier> {
    const { tasks, clock } = this.#parts;
    const started = clock.monotonic();
    const draining = tasks.map(({ inFlight }) => inFlight.close()).filter((ended) => ended !== undefined);
    if (draining.length === 0) return this.#freeze(started, isHeld);
    return Promise.all(draining).then(() => this.#freeze(started, isHeld));
  }

  #freeze(started: number, isHeld: boolean): Barrier {
    const { tasks, clock } = this.#parts;
    let isFrozen = false;
    try {
      for (const { epoch } of tasks) epoch.check();
      const id = tasks[0]?.epoch.number ?? 0;
      for (const task of tasks) freezeTask(task);
      this.#failures.tell((listener) => listener.barrier?.(id));
      for (const { epoch } of tasks) epoch.check();
      isFrozen = true;
      return {
        id,
        liveRows: tasks.map(liveRows),
        times: tasks.map(timeSeen),
        syncPauseMs: clock.monotonic() - started,
      };
    } finally {
      if (!isFrozen || !isHeld) this.#admit();
    }
  }

  #admit(): void {
    for (const { inFlight } of this.#parts.tasks) inFlight.open();
  }
}

function ignore(): void {}
