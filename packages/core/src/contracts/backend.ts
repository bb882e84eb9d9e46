/** What an adapter hands to `openTask`: where working state lives, and where checkpoints go when nothing else is said. */

import type { CheckpointStorage } from "./checkpoint-storage.js";
import type { Store } from "./store.js";

/** What can be read without a promise: everything, single rows of keyed state, or nothing. */
export type SyncReads = boolean | "point";

/**
 * A state backend. `Sync` tells the type system whether state can be read without a promise, `Client` what results are written with if
 * checkpoints complete in a transaction.
 *
 * A backend without a store keeps the whole table decoded in memory.
 */
export interface Backend<Sync extends SyncReads = SyncReads, Client = never> {
  /** For people: reports, errors, metrics. Core never decides anything by it. */
  readonly name: string;
  /** Whether `getSync` and its siblings work. */
  readonly sync: Sync;
  /** Where checkpoints go when `openTask` is given no other place. */
  readonly checkpoints: CheckpointStorage<Client>;
  /** Where working state lives that has no room in memory; without it everything is in memory. */
  readonly store?: StoreProvider;
}

/** Gives the tasks of a job their stores. */
export interface StoreProvider {
  /** A new handle, not open yet. Core opens it with its scope, and closes it. */
  create(): Store;
  /**
   * Bytes that what one task has read and written may take in memory besides what is not checkpointed yet; more as long as that takes less
   * than `memtableBytes`.
   */
  readonly cacheBytes: number;
  /** Bytes that the changes of one task may take in memory until a checkpoint has them, if the job does not say. */
  readonly memtableBytes?: number;
}
