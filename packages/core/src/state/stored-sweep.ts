/**
 * Goes over a state whose rest is in a store again and again, some rows after each checkpoint, so that what has expired goes without
 * being read.
 *
 * Invariants:
 * - Nothing of the store is held between two steps: each begins behind the row at which the last one ended.
 */

import type { BinaryKey } from "../key/binary-key.js";
import type { MetRow } from "../stored/scan-groups.js";
import type { WatermarkOf } from "./sweep.js";

/** So many rows are visited in a step. */
const ROWS_PER_STEP = 1000;

export interface SweptStore<Row extends MetRow> {
  /** Rows in the order of their keys, from behind one of them, in chunks. */
  cells(behind?: BinaryKey): AsyncIterable<readonly Row[]>;
  /** Removes of what a row belongs to what has expired; by `watermarkOf`, if it is given. */
  visit(row: Row, watermarkOf: WatermarkOf | undefined): void | Promise<void>;
}

/** What a task needs of a sweep. */
export interface StoredSweeping {
  /** Visits some rows more. */
  step(): Promise<void>;
  /** Visits all rows. */
  all(watermarkOf: WatermarkOf): Promise<void>;
}

export class StoredSweep<Row extends MetRow> implements StoredSweeping {
  readonly #swept: SweptStore<Row>;
  #behind: BinaryKey | undefined;

  constructor(swept: SweptStore<Row>) {
    this.#swept = swept;
  }

  async step(): Promise<void> {
    let left = ROWS_PER_STEP;
    for await (const rows of this.#swept.cells(this.#behind)) {
      for (const row of rows) {
        await this.#swept.visit(row, undefined);
        this.#behind = row.key;
        if (--left <= 0) return;
      }
    }
    this.#behind = undefined;
  }

  async all(watermarkOf: WatermarkOf): Promise<void> {
    for await (const rows of this.#swept.cells()) {
      for (const row of rows) await this.#swept.visit(row, watermarkOf);
    }
  }
}
