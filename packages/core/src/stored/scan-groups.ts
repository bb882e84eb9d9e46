/** Scans a state over the key groups of a task, what the store has and what memory has changed of it. */

import type { KeyIdentity } from "../contracts/codec.js";
import type { StoreEntry } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import { mergedScan, type OverlayRow, type RowOf } from "./merged-scan.js";
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
}

/** While the rows of one key group are used the next one is read. */
export async function* scanGroups<Row>(
  { stateId, groups, reads, overlay }: GroupScan,
  rowOf: RowOf<unknown, Row>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const scanOf = (group: number): AsyncIterableIterator<readonly StoreEntry[]> =>
    begun(reads.scanChunks(prefixRange(statePrefix(group, stateId))));
  const [first, ...others] = groups;
  if (first === undefined) return;
  let ahead: { readonly group: number; readonly scan: ReturnType<typeof scanOf> } | undefined;
  ahead = { group: first, scan: scanOf(first) };
  try {
    for (const next of [...others, undefined]) {
      const { group, scan }: NonNullable<typeof ahead> = ahead;
      ahead = next === undefined ? undefined : { group: next, scan: scanOf(next) };
      yield* mergedScan(scan, overlay.get(group) ?? [], rowOf);
      if (ahead === undefined) return;
    }
  } finally {
    await ahead?.scan.return?.();
  }
}

/** `chunks`, of which the first one is asked for at once. */
function begun<Chunk>(chunks: AsyncIterable<Chunk>): AsyncIterableIterator<Chunk> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Chunk>> | undefined = iterator.next();
  // Whoever asks for it is told.
  first.catch(() => undefined);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const result = first ?? iterator.next();
      first = undefined;
      return result;
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
