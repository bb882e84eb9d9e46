/**
 * Goes over the cells of a state again and again, a few with each write, so that what has expired goes without being read.
 *
 * Invariants:
 * - A write visits at most CELLS_PER_WRITE cells: the work is bounded, and n writes go over n cells at least.
 */

import type { KeyIdentity } from "../contracts/codec.js";

const CELLS_PER_WRITE = 2;

/** The watermark by which a key group is judged, where it is not that of the task. */
export type WatermarkOf = (group: number) => number | undefined;

export interface SweptCells<Content> {
  /** The cells as they come, lazily; may be changed while they are gone over. */
  cells(): Iterable<readonly [KeyIdentity, Content]>;
  /** Removes of a cell what has expired; by `watermarkOf`, if it is given, all that has. */
  visit(identity: KeyIdentity, content: Content, watermarkOf: WatermarkOf | undefined): void;
}

/** What a restore needs of a sweep. */
export interface Sweeping {
  /** Visits the next few cells; whether that was the end of a round. */
  step(cells?: number, watermarkOf?: WatermarkOf): boolean;
}

export class Sweep<Content> implements Sweeping {
  readonly #swept: SweptCells<Content>;
  #at: Iterator<readonly [KeyIdentity, Content]> | undefined;

  constructor(swept: SweptCells<Content>) {
    this.#swept = swept;
  }

  step(cells = CELLS_PER_WRITE, watermarkOf?: WatermarkOf): boolean {
    this.#at ??= this.#swept.cells()[Symbol.iterator]();
    for (let left = cells; left > 0; left--) {
      const next = this.#at.next();
      if (next.done === true) {
        this.#at = undefined;
        return true;
      }
      this.#swept.visit(next.value[0], next.value[1], watermarkOf);
    }
    return false;
  }
}
