/** Scans a state over the key groups of a task, what the store has and what memory has changed of it. */

import type { KeyIdentity } from "../contracts/codec.js";
import type { KeyRange, StoreEntry } from "../contracts/store.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import { mergedScan, type OverlayRow, type ScannedRow } from "./merged-scan.js";
import { prefixRange, statePrefix } from "./store-entry.js";
import type { StoreReads } from "./store-reads.js";

/** A row that a scan met. */
export interface MetRow {
  /** Composite key, with key group and state id. */
  readonly key: BinaryKey;
  readonly identity: KeyIdentity;
  readonly content: unknown;
}

export interface GroupScan {
  readonly stateId: number;
  readonly groups: KeyGroups;
  readonly reads: StoreReads;
  /** What the store does not have yet, by key group, ascending. */
  readonly overlay: ReadonlyMap<number, readonly OverlayRow<unknown>[]>;
  readonly decode: (entry: StoreEntry) => unknown;
  /** Rows up to this one are left out. */
  readonly behind?: BinaryKey | undefined;
}

export async function* scanGroups(scan: GroupScan): AsyncGenerator<readonly ScannedRow<unknown>[], void, undefined> {
  const { groups, reads, overlay, decode, behind } = scan;
  const first = behind === undefined ? 0 : readUint16(behind, 0);
  for (const group of groups) {
    if (group < first) continue;
    const isCut = behind !== undefined && group === first;
    const rows = overlay.get(group) ?? [];
    const stored = reads.scanChunks(rangeOf(scan, group, isCut ? behind : undefined));
    for await (const chunk of mergedScan(stored, rows, decode)) {
      yield isCut ? chunk.filter(({ key }) => key > behind) : chunk;
    }
  }
}

function rangeOf({ stateId }: GroupScan, group: number, behind: BinaryKey | undefined): KeyRange {
  const { start, end } = prefixRange(statePrefix(group, stateId));
  return { start: behind === undefined ? start : ((behind + "\u0000") as BinaryKey), end };
}
