/**
 * The rows of one state that were written in one epoch, as the barrier found them.
 *
 *   written ──freeze (barrier, constant time)──▶ frozen ──encoded into a segment──▶ checkpoint completed ──▶ completed
 *
 * Invariants:
 * - What a row gives is what the barrier found, whatever is written later. Rows are asked for by place, 0 to `count - 1`.
 */

import type { ByteWriter } from "../bytes/byte-writer.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { BlockBuilder } from "./block-builder.js";
import type { SortKeys } from "./sort-keys.js";

export interface FrozenRows {
  readonly stateId: number;
  readonly count: number;
  groupAt(at: number): number;
  /** Whether a later change of the same epoch made the row meaningless. */
  isDroppedAt(at: number): boolean;
  /** Whether the rows of one key, from the first to the last, cancel each other out. */
  isVoid?(first: number, last: number): boolean;
  /** Text that sorts among its like as the keys do. Of rows with equal ones the last counts. */
  sortKeyAt(at: number): string;
  /** The keys of the rows at `places`, if there is something cheaper than their texts to sort them by. */
  sortKeysOf?(places: readonly number[]): SortKeys;
  /** Appends the entry, its key without key group and state id; or several that stand side by side in the order of keys. */
  appendAt(at: number, block: BlockBuilder): void;
  /** The checkpoint that holds the row has completed: what stayed only until then goes. */
  completedAt(at: number): void;
  /** Somebody begins to read; rows stay as they are until each of those has called `release`. For rows in memory that is used again. */
  hold?(): void;
  release?(): void;
}

/** So many rows are gone over before the clock is looked at. */
export const STRETCH_ROWS = 512;

/** How a table's row objects become entries. */
export interface RowLayout<Row> {
  groupOf(row: Row): number;
  isDropped(row: Row): boolean;
  keyOf(row: Row): BinaryKey;
  flagsOf(row: Row): number;
  write(row: Row, out: ByteWriter): void;
  completed(row: Row): void;
}

/** Frozen rows that are objects of their own, which their table does not change while they are frozen. */
export function frozenObjects<Row>(stateId: number, rows: readonly Row[], layout: RowLayout<Row>): FrozenRows {
  const rowAt = (at: number): Row => rows[at] as Row;
  return {
    stateId,
    count: rows.length,
    groupAt: (at) => layout.groupOf(rowAt(at)),
    isDroppedAt: (at) => layout.isDropped(rowAt(at)),
    sortKeyAt: (at) => layout.keyOf(rowAt(at)),
    appendAt(at, block) {
      const row = rowAt(at);
      layout.write(row, block.append(layout.keyOf(row), layout.flagsOf(row)));
    },
    completedAt: (at) => layout.completed(rowAt(at)),
  };
}
