/** What an adapter hands to `openTask`: where working state lives, and where checkpoints go when nothing else is said. */

import type { CheckpointStorage } from "./checkpoint-storage.js";

/**
 * A state backend. `Sync` tells the type system whether state can be read without a promise.
 *
 * A backend without a store keeps the whole table decoded in memory.
 */
export interface Backend<Sync extends boolean = boolean> {
  /** For people: reports, errors, metrics. Core never decides anything by it. */
  readonly name: string;
  /** Whether `getSync` and its siblings work. */
  readonly sync: Sync;
  /** Where checkpoints go when `openTask` is given no other place. */
  readonly checkpoints: CheckpointStorage;
}
