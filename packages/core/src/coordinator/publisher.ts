/**
 * Makes a checkpoint of what was frozen: uploads it and, in the order of the ids, publishes it and collects the garbage.
 *
 * Invariants:
 * - One checkpoint at a time joins the chains, is published and collects garbage.
 * - None is published after one of which nobody knows whether it was, or after another owner has taken over.
 */

import { encodeManifest } from "../checkpoint/manifest.js";
import type { ChainExtension } from "../checkpoint/task-chain.js";
import { isStateBackendError, type StateBackendError } from "../errors.js";
import {
  type CheckpointSizes,
  type CoordinatorParts,
  manifestOf,
  operatorManifests,
  sizesOf,
  type Work,
} from "./checkpoint-work.js";
import { Deadline } from "./deadline.js";
import { type Failures, isFenced } from "./failures.js";
import type { CompletedCheckpoint } from "./history.js";
import type { PendingCheckpoint } from "./pending-checkpoint.js";
import { type CheckpointTransaction, publishWork } from "./results.js";
import { applyToStore, settleTask, type TaskRuntime } from "./task-runtime.js";
import { joinChains, type TaskUpload, uploadCheckpoint, type UploadWork } from "./task-uploads.js";

/** What a checkpoint is to be. */
export interface PublishRequest {
  readonly kind: "incremental" | "full";
  readonly transaction: CheckpointTransaction | undefined;
}

export class Publisher {
  readonly #parts: CoordinatorParts;
  readonly #failures: Failures;
  #parent: number | undefined;
  #garbageError: unknown;
  #lastCompleted: { readonly id: number; readonly endedAt: number; readonly at: number } | undefined;

  constructor(parts: CoordinatorParts, failures: Failures, restoredFrom: number | undefined) {
    this.#parts = parts;
    this.#failures = failures;
    this.#parent = restoredFrom;
  }

  /** The last published checkpoint of the history that the state comes from. */
  get parent(): number | undefined {
    return this.#parent;
  }

  /** The last checkpoint that was completed here. */
  get lastCompleted(): CompletedCheckpoint | undefined {
    if (this.#lastCompleted === undefined) return undefined;
    const { id, endedAt, at } = this.#lastCompleted;
    return { id, endedAt, ageMs: this.#parts.clock.monotonic() - at };
  }

  /** Why garbage could not be removed the last time; it is tried again after every checkpoint. */
  get garbageError(): unknown {
    return this.#garbageError;
  }

  /**
   * Uploads, publishes in turn, adopts, collects.
   * @throws what went wrong; then the checkpoint is aborted, or nobody knows and the tasks are poisoned
   */
  async publish(
    { kind, transaction }: PublishRequest,
    { pending, barrier, deadline }: Work<TaskUpload>,
  ): Promise<CheckpointSizes> {
    const { tasks, clock, lineage, retention, telemetry, settings } = this.#parts;
    const started = clock.monotonic();
    const work = { kind, barrier, deadline };
    const uploads = await this.asOwner(uploadCheckpoint(this.#parts, pending, work));
    const extensions = await this.#extensionsInTurn(pending, uploads, work);
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
    const limit = (): Deadline => new Deadline(clock, settings.timeoutMs);
    const results = transaction && publishWork(transaction, barrier.id, limit);
    let subsumed: readonly number[];
    try {
      const published = lineage.publish(barrier.id, encodeManifest(manifest), results);
      // A transaction may also fail because a newer owner did not wait for it.
      subsumed = retention.add(await (results === undefined ? published : this.asOwner(published)), manifest);
    } catch (error) {
      // Surely not published: the checkpoint is aborted and all goes on. Otherwise nobody knows, and nobody may guess.
      const isSurelyNot = isStateBackendError(error) && error.outcome === "not-applied";
      if (!isSurelyNot && results?.isFailure(error) !== true) this.#failures.fail(error);
      throw error;
    }
    telemetry.subsumed(barrier.id, subsumed);
    await this.#complete(barrier.id, extensions);
    this.#lastCompleted = { id: barrier.id, endedAt: clock.now(), at: clock.monotonic() };
    this.#failures.tell((listener) => listener.completed?.(barrier.id));
    if (subsumed.length > 0) this.#failures.tell((listener) => listener.subsumed?.(subsumed));
    return sizes;
  }

  /** The chains to come, when everything that was under way at the barrier has ended. */
  async #extensionsInTurn(
    { turn }: PendingCheckpoint<TaskUpload>,
    uploads: readonly TaskUpload[],
    work: UploadWork,
  ): Promise<readonly ChainExtension[]> {
    if (turn === undefined) return uploads.flatMap(({ extension }) => extension ?? []);
    // The upload has ended: that others take long is no reason to give it up.
    work.deadline.end();
    await turn;
    const { refusal } = this.#failures;
    if (refusal !== undefined) throw refusal;
    const { clock, settings } = this.#parts;
    const deadline = new Deadline(clock, settings.timeoutMs);
    try {
      return await this.asOwner(joinChains(this.#parts, uploads, { ...work, deadline }));
    } finally {
      deadline.end();
    }
  }

  /** Who has been taken over is told so, whatever else went wrong on the way: a newer owner may have removed what it needed. */
  async asOwner<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const fencing = isFenced(error) ? error : await this.#fencing();
      if (fencing === undefined) throw error;
      this.#failures.fail(fencing);
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

  /** The checkpoint is published all the same if it fails, but none after it: the store would lack what this one has. */
  async #applyToStore(task: TaskRuntime, id: number, extension: ChainExtension): Promise<void> {
    try {
      await applyToStore(task, id, extension);
    } catch (error) {
      this.#failures.fail(error);
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
      // Asked anew for each: other checkpoints begin and upload meanwhile.
      const isUnderWay = (leaf: string): boolean =>
        segmentNames.isUploading(leaf) || tasks.some(({ chain }) => chain.isDelta(leaf));
      await garbage.collect({ manifests, segments: { has: (leaf) => segments.has(leaf) || isUnderWay(leaf) } });
      await claimed?.collect();
      for (const { store } of tasks) await store?.sweep();
      this.#garbageError = undefined;
    } catch (error) {
      // The checkpoint is published all the same. What is left over is found again after the next one.
      this.#garbageError = error;
      if (isFenced(error)) this.#failures.fail(error);
    }
  }
}
