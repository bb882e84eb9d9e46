/** What a layer has of a key that has several rows, and how it becomes entries. */

import type { KeyIdentity } from "../contracts/codec.js";
import { FLAG_CLEAR, FLAG_DELETE } from "../segment/entry-block.js";
import { DELETED } from "../table/epoch.js";

/** What a layer has of a key: its rows, DELETED where they are gone. */
export class LayerCell {
  isWhole = false;
  readonly rows = new Map<KeyIdentity, unknown>();
  /** The row that was written last. */
  last: KeyIdentity | undefined;
  /** Of the last write to it; every write has another one. */
  version = 0;
}

/** A row of a layer, or the clearing of a cell, with the row that stands at its key if there is one. */
export interface FlatRow {
  readonly identity: KeyIdentity;
  /** `undefined` at the key of the cell itself. */
  readonly sub: KeyIdentity | undefined;
  readonly clears: boolean;
  readonly content: unknown;
}

/** The rows of the cell of `identity`; `wholeSub` stands for the one at the key of the cell itself. */
export function* flatten(
  identity: KeyIdentity,
  { isWhole, rows }: LayerCell,
  wholeSub: KeyIdentity | undefined,
): Generator<FlatRow, void, undefined> {
  if (isWhole) {
    const content = wholeSub === undefined ? undefined : rows.get(wholeSub);
    yield { identity, sub: undefined, clears: true, content: content ?? DELETED };
  }
  for (const [sub, content] of rows) {
    if (!isWhole || sub !== wholeSub) yield { identity, sub, clears: false, content };
  }
}

export function flagsOf({ clears, content }: FlatRow, valueFlags: number): number {
  return (clears ? FLAG_CLEAR : 0) | (content === DELETED ? FLAG_DELETE : valueFlags);
}

/** Both cells, the newer above the older. */
export function joined(older: LayerCell, newer: LayerCell): LayerCell {
  if (newer.isWhole) return newer;
  const cell = new LayerCell();
  cell.isWhole = older.isWhole;
  for (const [sub, content] of [...older.rows, ...newer.rows]) cell.rows.set(sub, content);
  return cell;
}
