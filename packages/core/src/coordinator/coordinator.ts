/**
 * The flow of checkpoints of one job, over all its tasks.
 *
 *   trigger ─▶ barrier: no record enters, those in flight end, every task freezes in one synchronous step   (#barrier)
 *           ─▶ frozen tables are encoded and uploaded while processing goes on, until all tasks have       (uploadCheckpoint)
 *           ─▶ the manifest is published                                                                   (Lineage.publish)
 *           ─▶ tasks adopt their new chains, older checkpoints are subsumed, garbage is collected          (#complete)
 *   failed before publishing ─▶ aborted: what was frozen is in the next checkpoint
 *   published or not, nobody knows; or a newer owner ─▶ poisoned: the way back is a restore
 *
 * Invariants:
 * - One checkpoint or savepoint at a time, in the order of the calls; ids ascend and are never used twice by an attempt.
 * - All tasks are frozen at the same moment.
 */

import { encodeManifest } from "../checkpoint/manifest.js";
import type { ChainExtension } from "../checkpoint/task-chain.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { isStateBackendError, StateBackendError } from "../errors.js";
import {
  type Barrier,
  type CheckpointSizes,
  type CoordinatorParts,
  manifestOf,
  operatorManifests,
  sizesOf,
  uploadCheckpoint,
  writeSavepoint,
} from "./checkpoint-work.js";
import { Deadline } from "./deadline.js";
import { type CheckpointInfo, type CompletedCheckpoint, History } from "./history.js";
import {
  applyToStore,
  freezeTask,
  liveRows,
  memoryOf,
  settleTask,
  type TaskRuntime,
  timeSeen,
  unsavedBytes,
} from "./task-runtime.js";

/** Share of `memoryBytes` at which a checkpoint is asked for. */
const EARLY_SHARE = 0.6;
/** Between a failed checkpoint that was to make room and the next. */
const RETRY_PAUSE_MS = 500;

type Work = (barrier: Barrier, deadline: Deadline) => Promise<CheckpointSizes>;

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #history = new History();
  #parent: number | undefined;
  /** Checkpoints and savepoints that were asked for and have not ended. */
  #underWay = 0;
  /** Ends when the last one that was asked for has. */
  #tail: Promise<void> = Promise.resolve();
  #early: Promise<void> | undefined;
  /** Automatic checkpoints that failed in a row. */
  #failures = 0;
  #garbageError: unknown;
  #isPoisoned = false;
  #lastCompleted: { readonly id: number; readonly endedAt: number; readonly at: number } | undefined;

  constructor(parts: CoordinatorParts, restoredFrom: number | undefined) {
    this.#parts = parts;
    this.#parent = restoredFrom;
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
    if (this.#lastCompleted === undefined) return undefined;
    const { id, endedAt, at } = this.#lastCompleted;
    return { id, endedAt, ageMs: this.#parts.clock.monotonic() - at };
  }

  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  /** Why garbage could not be removed the last time; it is tried again after every checkpoint. */
  get garbageError(): unknown {
    return this.#garbageError;
  }

  /** Takes a checkpoint. If nothing else is under way and no record in flight, the barrier comes before the first promise. */
  checkpoint(kind: "incremental" | "full"): Promise<CheckpointInfo> {
    return this.#inTurn(kind, (barrier, deadline) => this.#publishCheckpoint(kind, barrier, deadline));
  }

  /** Writes the whole state to a storage of its own. The chain of checkpoints does not change. */
  savepoint(target: CheckpointStorage): Promise<CheckpointInfo> {
    return this.#inTurn("savepoint", (barrier, deadline) =>
      this.#asOwner(writeSavepoint(this.#parts, target, { barrier, deadline, parent: this.#parent })),
    );
  }

  /**
   * A checkpoint that nobody asked for by hand. Its failure is in the history; too many in a row poison the tasks.
   */
  async automatic(): Promise<void> {
    const { settings } = this.#parts;
    try {
      await this.checkpoint("incremental");
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      if (this.#failures > settings.toleratedFailures) this.poison(error);
    }
  }

  /** Resolves when there is room for more changes; starts a checkpoint when it is getting short. */
  async ready(): Promise<void> {
    const { tasks, settings } = this.#parts;
    while (true) {
      for (const { epoch } of tasks) epoch.check();
      const used = tasks.reduce((sum, task) => sum + unsavedBytes(task), 0);
      if (used < settings.memoryBytes * EARLY_SHARE) return;
      this.#early ??= this.#makeRoom();
      if (used < settings.memoryBytes) return;
      await this.#early;
    }
  }

  /** Refuses all further calls of the tasks. */
  poison(cause: unknown): void {
    this.#isPoisoned = true;
    const refusal = isFenced(cause) ? cause : poisoned(cause);
    for (const { epoch } of this.#parts.tasks) epoch.refusal ??= refusal;
    for (const task of this.#parts.tasks) task.stop();
  }

  /** Refuses all further calls; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    const closed = new StateBackendError("CLOSED", "The task is closed. Open it again to go on.");
    for (const { epoch } of this.#parts.tasks) epoch.refusal = closed;
    for (const task of this.#parts.tasks) task.stop();
    while (this.#underWay > 0) await this.#tail;
  }

  async #makeRoom(): Promise<void> {
    const { clock } = this.#parts;
    await this.automatic();
    if (this.#failures > 0) {
      await new Promise<void>((resolve) => {
        clock.schedule(RETRY_PAUSE_MS, resolve, true);
      });
    }
    this.#early = undefined;
  }

  #inTurn(kind: CheckpointInfo["kind"], work: Work): Promise<CheckpointInfo> {
    const turn = this.#turn(kind, work);
    this.#tail = turn.then(ignore, ignore);
    return turn;
  }

  /** Synchronous up to the barrier if nothing is under way. Ended, also for those who call next, when its promise settles. */
  async #turn(kind: CheckpointInfo["kind"], work: Work): Promise<CheckpointInfo> {
    const before = this.#underWay++ > 0 ? this.#tail : undefined;
    try {
      if (before !== undefined) await before;
      return await this.#run(kind, work);
    } finally {
      this.#underWay--;
    }
  }

  async #run(kind: CheckpointInfo["kind"], work: Work): Promise<CheckpointInfo> {
    const { clock, settings, tasks, telemetry } = this.#parts;
    for (const { epoch } of tasks) epoch.check();
    const memory = memoryOf(this.#parts);
    const started = clock.monotonic();
    const found = this.#barrier();
    const barrier = found instanceof Promise ? await found : found;
    telemetry.barrier(barrier.id, kind, memory);
    const deadline = new Deadline(clock, settings.timeoutMs);
    const ended = (): Pick<CheckpointInfo, "id" | "kind" | "syncPauseMs" | "durationMs" | "endedAt"> => ({
      id: barrier.id,
      kind,
      syncPauseMs: barrier.syncPauseMs,
      durationMs: clock.monotonic() - started,
      endedAt: clock.now(),
    });
    try {
      const sizes = await work(barrier, deadline);
      return telemetry.ended(this.#history.add({ ...ended(), ...sizes, status: "completed" }), memory);
    } catch (error) {
      const failed = { ...ended(), fullBytes: 0, incrementalBytes: 0, status: "failed", error } as const;
      telemetry.ended(this.#history.add(failed), memory);
      // Of a poisoned task nobody knows, or it is for the newer owner to say.
      if (kind !== "savepoint" && !this.#isPoisoned) this.#tell(() => this.#parts.listener.aborted?.(barrier.id));
      throw error;
    } finally {
      deadline.end();
      if (!settings.asyncSnapshots) this.#admit();
    }
  }

  /** Freezes every task at one moment. A promise only if records are in flight. */
  #barrier(): Barrier | Promise<Barrier> {
    const { tasks, clock } = this.#parts;
    const started = clock.monotonic();
    const draining = tasks.map(({ inFlight }) => inFlight.close()).filter((ended) => ended !== undefined);
    if (draining.length === 0) return this.#freeze(started);
    return Promise.all(draining).then(() => this.#freeze(started));
  }

  #freeze(started: number): Barrier {
    const { tasks, clock, settings } = this.#parts;
    let isFrozen = false;
    try {
      for (const { epoch } of tasks) epoch.check();
      const id = tasks[0]?.epoch.number ?? 0;
      for (const task of tasks) freezeTask(task);
      isFrozen = true;
      return {
        id,
        liveRows: tasks.map(liveRows),
        times: tasks.map(timeSeen),
        syncPauseMs: clock.monotonic() - started,
      };
    } finally {
      if (!isFrozen || settings.asyncSnapshots) this.#admit();
    }
  }

  #admit(): void {
    for (const { inFlight } of this.#parts.tasks) inFlight.open();
  }

  /** What a listener throws is its own failure, not the checkpoint's. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.poison(error);
    }
  }

  async #publishCheckpoint(
    kind: "incremental" | "full",
    barrier: Barrier,
    deadline: Deadline,
  ): Promise<CheckpointSizes> {
    const { tasks, clock, lineage, retention, telemetry } = this.#parts;
    const started = clock.monotonic();
    const extensions = await this.#asOwner(uploadCheckpoint(this.#parts, { kind, barrier, deadline }));
    const sizes = sizesOf(extensions);
    const manifest = manifestOf(this.#parts, {
      kind: "checkpoint",
      checkpoint: barrier.id,
      parent: this.#parent ?? null,
      retains: retention.withNext(barrier.id),
      durationMs: clock.monotonic() - started,
      ...sizes,
      operators: operatorManifests(tasks, extensions, barrier),
    });
    let subsumed: readonly number[];
    try {
      subsumed = retention.add(await lineage.publish(barrier.id, encodeManifest(manifest)), manifest);
    } catch (error) {
      // Surely not published: the checkpoint is aborted and all goes on. Otherwise nobody knows, and nobody may guess.
      if (!isStateBackendError(error) || error.outcome !== "not-applied") this.poison(error);
      throw error;
    }
    telemetry.subsumed(barrier.id, subsumed);
    await this.#complete(barrier.id, extensions);
    this.#lastCompleted = { id: barrier.id, endedAt: clock.now(), at: clock.monotonic() };
    this.#tell(() => this.#parts.listener.completed?.(barrier.id));
    if (subsumed.length > 0) this.#tell(() => this.#parts.listener.subsumed?.(subsumed));
    return sizes;
  }

  /** Who has been taken over is told so, whatever else went wrong on the way: a newer owner may have removed what it needed. */
  async #asOwner<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const fencing = isFenced(error) ? error : await this.#fencing();
      if (fencing === undefined) throw error;
      this.poison(fencing);
      throw fencing;
    }
  }

  /** The error that says who has taken over, if anyone has, as far as can be found out. */
  async #fencing(): Promise<StateBackendError | undefined> {
    try {
      await this.#parts.lineage.assertOwner();
      return undefined;
    } catch (error) {
      return isFenced(error) ? error : undefined;
    }
  }

  /** The checkpoint is published all the same if it fails. */
  async #applyToStore(task: TaskRuntime, id: number, extension: ChainExtension): Promise<void> {
    try {
      await applyToStore(task, id, extension);
    } catch (error) {
      this.poison(error);
    }
  }

  async #complete(id: number, extensions: readonly ChainExtension[]): Promise<void> {
    const { tasks, clock, retention, garbage, segmentNames, claimed } = this.#parts;
    this.#parent = id;
    claimed?.count();
    for (const [i, task] of tasks.entries()) {
      const extension = extensions[i];
      if (extension !== undefined) {
        await this.#applyToStore(task, id, extension);
        await task.chain.adopt(extension, clock);
      }
      settleTask(task);
    }
    try {
      const { manifests, segments } = await retention.reachable();
      await garbage.collect({ manifests, segments: new Set([...segments, ...segmentNames.uploading]) });
      await claimed?.collect();
      this.#garbageError = undefined;
    } catch (error) {
      // The checkpoint is published all the same. What is left over is found again after the next one.
      this.#garbageError = error;
      if (isFenced(error)) this.poison(error);
    }
  }
}

function isFenced(error: unknown): error is StateBackendError {
  return isStateBackendError(error) && error.code === "FENCED";
}

function poisoned(cause: unknown): StateBackendError {
  return new StateBackendError(
    "POISONED",
    "The task failed in a way after which its state cannot be trusted. Close it and restore the latest checkpoint.",
    { cause },
  );
}

function ignore(): void {}
