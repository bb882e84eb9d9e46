/** Scans a state over the key groups of a task, what the store has and what memory has changed of it. */

import type { KeyIdentity } from "../contracts/codec.js";
import type { StoreEntry } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";
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
}

export async function* scanGroups(scan: GroupScan): AsyncGenerator<ScannedRow<unknown>, void, undefined> {
  const { stateId, groups, reads, overlay, decode } = scan;
  for (const group of groups) {
    yield* mergedScan(reads.scan(prefixRange(statePrefix(group, stateId))), overlay.get(group) ?? [], decode);
  }
}
