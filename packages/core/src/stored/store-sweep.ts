/**
 * Goes over a store again and again, some entries after each checkpoint, so that what has expired goes without being read.
 *
 * Invariants:
 * - Nothing of the store is held between two steps: each begins behind the entry at which the last one ended.
 */

import type { StoreEntry } from "../contracts/store.js";
import { type BinaryKey, readUint16, uint16Key } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import type { StoreReads } from "./store-reads.js";

/** So many entries are visited in a step. */
const ENTRIES_PER_STEP = 1000;

/** Judges the entries of one state. */
export interface StoredSweeper {
  readonly stateId: number;
  /** Removes what has expired of what the entry belongs to. */
  visit(entry: StoreEntry): void | Promise<void>;
}

export class StoreSweep {
  readonly #sweepers: ReadonlyMap<number, StoredSweeper>;
  readonly #groups: KeyGroups;
  #behind: BinaryKey | undefined;

  constructor(sweepers: readonly StoredSweeper[], groups: KeyGroups) {
    this.#sweepers = new Map(sweepers.map((sweeper) => [sweeper.stateId, sweeper]));
    this.#groups = groups;
  }

  /** Visits some entries more; does nothing if nothing expires. */
  async step(reads: StoreReads): Promise<void> {
    if (this.#sweepers.size === 0) return;
    let left = ENTRIES_PER_STEP;
    for (const { first, last } of this.#groups.ranges) {
      const behind = this.#behind;
      if (behind !== undefined && readUint16(behind, 0) > last) continue;
      const start = uint16Key(first);
      const from = behind === undefined || behind < start ? start : ((behind + "\u0000") as BinaryKey);
      for await (const entry of reads.scan({ start: from, end: uint16Key(last + 1) })) {
        await this.#sweepers.get(readUint16(entry.key, 2))?.visit(entry);
        this.#behind = entry.key;
        if (--left <= 0) return;
      }
    }
    this.#behind = undefined;
  }
}
