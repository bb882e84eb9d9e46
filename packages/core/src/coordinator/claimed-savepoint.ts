/**
 * A savepoint that the job took over: it goes when newer checkpoints have taken its place.
 *
 * Invariants:
 * - It is removed by the owner alone, and only when as many newer checkpoints have completed as are retained.
 * - What goes is its manifest, first, and what this manifest names; nothing else of its place is touched.
 */

import type { Lineage } from "../checkpoint/lineage.js";
import type { Manifest } from "../checkpoint/manifest.js";
import { SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS } from "../checkpoint/names.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { segmentsOf } from "./retention.js";

export interface ClaimedParts {
  readonly storage: CheckpointStorage;
  readonly manifest: Manifest;
  readonly lineage: Lineage;
  /** How many checkpoints are retained. */
  readonly retain: number;
}

export class ClaimedSavepoint {
  readonly #parts: ClaimedParts;
  #completed = 0;
  #isRemoved = false;

  constructor(parts: ClaimedParts) {
    this.#parts = parts;
  }

  /** A checkpoint has completed. */
  count(): void {
    this.#completed++;
  }

  /**
   * Removes the savepoint if it is its turn. What fails is tried again at the next call.
   * @throws {StateBackendError} FENCED if another owner has taken over; nothing is removed then
   */
  async collect(): Promise<void> {
    const { storage, manifest, lineage, retain } = this.#parts;
    if (this.#isRemoved || this.#completed < retain) return;
    await lineage.assertOwner();
    const segments = [...segmentsOf(manifest)].map((leaf) => SAVEPOINT_SEGMENTS + leaf);
    await storage.remove([SAVEPOINT_MANIFEST, ...segments]);
    this.#isRemoved = true;
  }
}
