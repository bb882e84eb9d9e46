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

/** A row that is there. */
export interface ScannedRow<Content> {
  readonly key: BinaryKey;
  readonly content: Content;
}

/** Rows of both, ascending by key, in chunks of some; `overlay` is ascending too. */
export async function* mergedScan<Content>(
  stored: AsyncIterable<readonly StoreEntry[]>,
  overlay: readonly OverlayRow<Content>[],
  decode: (entry: StoreEntry) => Content,
): AsyncGenerator<readonly ScannedRow<Content>[], void, undefined> {
  let at = 0;
  let cleared: BinaryKey | undefined;
  for await (const chunk of stored) {
    const rows: ScannedRow<Content>[] = [];
    for (const entry of chunk) {
      let isHidden = false;
      for (; at < overlay.length; at++) {
        const row = overlay[at] as OverlayRow<Content>;
        if (row.key > entry.key) break;
        if (row.clears) cleared = row.key;
        if (row.key === entry.key) isHidden = true;
        if (row.content !== undefined) rows.push({ key: row.key, content: row.content });
      }
      if (isHidden || (cleared !== undefined && entry.key.startsWith(cleared))) continue;
      rows.push({ key: entry.key, content: decode(entry) });
    }
    if (rows.length > 0) yield rows;
  }
  const rest = overlay.slice(at).flatMap(({ key, content }) => (content === undefined ? [] : [{ key, content }]));
  if (rest.length > 0) yield rest;
}
