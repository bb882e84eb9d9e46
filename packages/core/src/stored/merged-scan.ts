/** Scans a state in the order of its keys: what the store has, as memory has changed it. */

import type { StoreEntry } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";

/** A change that the store does not have yet. */
export interface OverlayRow<Content> {
  /** Composite key, with key group and state id. */
  readonly key: BinaryKey;
  /** Whether the store has nothing more to say about keys that begin with this one. */
  readonly clears: boolean;
  /** `undefined` if the row is deleted. */
  readonly content: Content | undefined;
}

/** What a scan gives for what the store has, and for what memory has changed. */
export interface RowOf<Content, Row> {
  readonly stored: (entry: StoreEntry) => Row;
  readonly changed: (key: BinaryKey, content: Content) => Row;
}

/** Rows of both, ascending by key, in chunks of some; `overlay` is ascending too. */
export async function* mergedScan<Content, Row>(
  stored: AsyncIterable<readonly StoreEntry[]>,
  overlay: readonly OverlayRow<Content>[],
  rowOf: RowOf<Content, Row>,
): AsyncGenerator<readonly Row[], void, undefined> {
  let at = 0;
  let cleared: BinaryKey | undefined;
  for await (const chunk of stored) {
    const rows: Row[] = [];
    for (const entry of chunk) {
      let isHidden = false;
      for (; at < overlay.length; at++) {
        const row = overlay[at] as OverlayRow<Content>;
        if (row.key > entry.key) break;
        if (row.clears) cleared = row.key;
        if (row.key === entry.key) isHidden = true;
        if (row.content !== undefined) rows.push(rowOf.changed(row.key, row.content));
      }
      if (isHidden || (cleared !== undefined && entry.key.startsWith(cleared))) continue;
      rows.push(rowOf.stored(entry));
    }
    if (rows.length > 0) yield rows;
  }
  const rest = overlay
    .slice(at)
    .flatMap(({ key, content }) => (content === undefined ? [] : [rowOf.changed(key, content)]));
  if (rest.length > 0) yield rest;
}
