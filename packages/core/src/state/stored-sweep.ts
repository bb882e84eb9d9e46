/** Removes what has expired of a state whose rest is in a store, without its being read. */

import type { StoreEntry } from "../contracts/store.js";
import type { MetRow } from "../stored/scan-groups.js";
import type { StoredSweeper } from "../stored/store-sweep.js";
import type { WatermarkOf } from "./sweep.js";

export interface SweptStore<Row extends MetRow> {
  readonly stateId: number;
  /** All rows that are there. */
  cells(): AsyncIterable<Row>;
  /** The row that an entry of the store is. */
  met(entry: StoreEntry): Row;
  /** Removes of what a row belongs to what has expired; by `watermarkOf`, if it is given. */
  visit(row: Row, watermarkOf: WatermarkOf | undefined): void | Promise<void>;
}

/** What a task needs of a sweep. */
export interface StoredSweeping extends StoredSweeper {
  /** Visits all rows. */
  all(watermarkOf: WatermarkOf): Promise<void>;
}

export class StoredSweep<Row extends MetRow> implements StoredSweeping {
  readonly stateId: number;
  readonly #swept: SweptStore<Row>;

  constructor(swept: SweptStore<Row>) {
    this.stateId = swept.stateId;
    this.#swept = swept;
  }

  visit(entry: StoreEntry): void | Promise<void> {
    return this.#swept.visit(this.#swept.met(entry), undefined);
  }

  async all(watermarkOf: WatermarkOf): Promise<void> {
    for await (const row of this.#swept.cells()) await this.#swept.visit(row, watermarkOf);
  }
}
