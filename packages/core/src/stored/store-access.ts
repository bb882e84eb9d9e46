/** What the tables of a task share, if the task has a store. */

import type { RowMeter } from "../table/row-meter.js";
import type { MemoryBudget } from "./memory-budget.js";
import type { StoreReads } from "./store-reads.js";

/** What a row takes in a `Map` of a layer besides its encoded value: its key, its place, the object that the value is. */
const LAYER_ROW_BYTES = 96;

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
