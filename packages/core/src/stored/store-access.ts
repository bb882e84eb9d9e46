/** What the tables of a task share, if the task has a store. */

import type { RowMeter } from "../table/row-meter.js";
import type { MemoryBudget } from "./memory-budget.js";
import type { StoreReads } from "./store-reads.js";

/**
 * What a row takes in a `Map` of a layer besides what its meter says: its key, its place, the object that the value is. Together they come to 5 % more
 * than texts of 100 bytes under keys of 16 take, a quarter more than numbers do, and 7 % less than small objects.
 */
const LAYER_ROW_BYTES = 64;

export class StoreAccess {
  readonly reads: StoreReads;
  readonly budget: MemoryBudget;

  constructor(reads: StoreReads, budget: MemoryBudget) {
    this.reads = reads;
    this.budget = budget;
  }

  /** Estimated bytes that a row takes in a layer. */
  rowBytes(meter: RowMeter): number {
    return LAYER_ROW_BYTES + meter.rowBytes;
  }
}
