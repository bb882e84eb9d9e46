/** The rows of cells, one by one, as they become entries. */

import type { KeyIdentity } from "../contracts/codec.js";
import { FLAG_CLEAR, FLAG_DELETE } from "../segment/entry-block.js";
import { DELETED } from "../table/epoch.js";

interface RowsOfCell {
  readonly isWhole: boolean;
  readonly rows: ReadonlyMap<KeyIdentity, unknown>;
}

/** A row of a layer, or the clearing of a cell, with the row that stands at its key if there is one. */
export interface FlatRow {
  readonly identity: KeyIdentity;
  /** `undefined` at the key of the cell itself. */
  readonly sub: KeyIdentity | undefined;
  readonly clears: boolean;
  readonly content: unknown;
}

/** All rows of `cells`; a cell that hides what is below it stands before them, with its row `wholeSub`. */
export function* flatten(
  cells: ReadonlyMap<KeyIdentity, RowsOfCell>,
  wholeSub: KeyIdentity | undefined,
): Generator<FlatRow, void, undefined> {
  for (const [identity, { isWhole, rows }] of cells) {
    if (isWhole) {
      const content = wholeSub === undefined ? undefined : rows.get(wholeSub);
      yield { identity, sub: undefined, clears: true, content: content ?? DELETED };
    }
    for (const [sub, content] of rows) {
      if (!isWhole || sub !== wholeSub) yield { identity, sub, clears: false, content };
    }
  }
}

/** Flags of the entry of a row; `valueFlags` are those of a value. */
export function flagsOf({ clears, content }: FlatRow, valueFlags: number): number {
  return (clears ? FLAG_CLEAR : 0) | (content === DELETED ? FLAG_DELETE : valueFlags);
}
