/** What the tables of a task share, if the task has a store. */

import type { RowMeter } from "../table/row-meter.js";
import type { MemoryBudget } from "./memory-budget.js";
import { ChunkPool } from "./row-chunk.js";
import type { StoreReads } from "./store-reads.js";

/**
 * What a row takes in a layer besides what its meter says, measured: its key, its places in the index and in the list of its epoch, the row itself.
 */
const LAYER_ROW_BYTES = 118;
/** Memory that is kept for rows to come is so small a part of all. */
const POOL_SHARE = 1 / 8;
/** What the garbage collector lets stand on top, until it comes round, of what changes all the time. */
const GARBAGE_FACTOR = 1.5;

export class StoreAccess {
  readonly reads: StoreReads;
  readonly budget: MemoryBudget;
  readonly chunks: ChunkPool;

  constructor(reads: StoreReads, budget: MemoryBudget) {
    this.reads = reads;
    this.budget = budget;
    this.chunks = new ChunkPool(budget.limitBytes * POOL_SHARE);
  }

  /** Estimated bytes that a row takes in a layer. */
  rowBytes(meter: RowMeter): number {
    return GARBAGE_FACTOR * (LAYER_ROW_BYTES + meter.rowBytes);
  }
}
