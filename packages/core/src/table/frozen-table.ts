/**
 * Everything a task wrote in one epoch, frozen by the barrier that ended it, as a sorted source of entries.
 *
 * Invariants:
 * - Entries come by key group, then state, then key; the source can be read again and gives the same.
 * - It stays in memory until the checkpoint that holds it has completed: an aborted checkpoint loses nothing.
 */

import { joinKeys, uint16Key } from "../key/binary-key.js";
import type { EntrySource } from "../segment/entry-block.js";
import type { Slicer } from "../segment/slicer.js";
import { BlockBuilder } from "./block-builder.js";
import { type FrozenRows, STRETCH_ROWS } from "./frozen-rows.js";
import { type SortedPlaces, sortKeys, TextKeys } from "./sort-keys.js";

const BLOCK_ROWS = 256;
const BLOCK_BYTES = 64 * 1024;
export class FrozenTable {
  /** The epoch that the barrier ended. */
  readonly epoch: number;
  /** Estimated bytes in memory. */
  readonly bytes: number;
  readonly rowCount: number;
  readonly #states: readonly FrozenRows[];
  #sorted: Promise<readonly SortedRows[]> | undefined;

  constructor(states: readonly FrozenRows[], { epoch, bytes }: { readonly epoch: number; readonly bytes: number }) {
    this.epoch = epoch;
    this.bytes = bytes;
    this.rowCount = states.reduce((sum, { count }) => sum + count, 0);
    this.#states = states;
  }

  /** Rows stay as they are from the call to the end of the source. */
  entries(slicer: Slicer): EntrySource {
    for (const state of this.#states) state.hold?.();
    return this.#entries(slicer);
  }

  async *#entries(slicer: Slicer): EntrySource {
    try {
      yield* this.#sortedEntries(slicer);
    } finally {
      for (const state of this.#states) state.release?.();
    }
  }

  async *#sortedEntries(slicer: Slicer): EntrySource {
    const block = new BlockBuilder();
    this.#sorted ??= this.#sort(slicer);
    for (const part of await this.#sorted) {
      for (let from = 0; from < part.places.length; ) {
        from += appendRows(part, part.places.subarray(from, from + BLOCK_ROWS), block);
        yield block.finish();
        if (slicer.isDue()) await slicer.pause();
      }
    }
  }

  /** The checkpoint that holds the table has completed. */
  async completed(slicer: Slicer): Promise<void> {
    for (const state of this.#states) {
      for (let at = 0; at < state.count; at++) {
        state.completedAt(at);
        if (at % STRETCH_ROWS === 0 && slicer.isDue()) await slicer.pause();
      }
    }
  }

  /** What the entries are, in their order: it is kept, since a store takes them after the segment. */
  async #sort(slicer: Slicer): Promise<readonly SortedRows[]> {
    const parts: SortedRows[] = [];
    for (const { group, state, places } of await this.#byGroup(slicer)) {
      const keys = state.sortKeysOf?.(places) ?? new TextKeys(places.map((at) => state.sortKeyAt(at)));
      parts.push({ group, state, places: distinct(places, await sortKeys(keys, slicer), state) });
    }
    return parts;
  }

  /** The rows by key group, then state, ascending. */
  async #byGroup(slicer: Slicer): Promise<GroupRows[]> {
    const all: GroupRows[] = [];
    for (const state of this.#states) {
      const groups = new Map<number, number[]>();
      for (let at = 0; at < state.count; at++) {
        if (!state.isDroppedAt(at)) addTo(groups, state.groupAt(at), at);
        if (at % STRETCH_ROWS === 0 && slicer.isDue()) await slicer.pause();
      }
      for (const [group, places] of groups) all.push({ group, state, places });
    }
    return all.sort((a, b) => a.group - b.group || a.state.stateId - b.state.stateId);
  }
}

/** Rows of one state in one key group. */
interface GroupRows {
  readonly group: number;
  readonly state: FrozenRows;
  readonly places: readonly number[];
}

/** Those of them that count, ascending by key. */
interface SortedRows {
  readonly group: number;
  readonly state: FrozenRows;
  readonly places: Uint32Array;
}

function addTo(groups: Map<number, number[]>, group: number, at: number): void {
  const places = groups.get(group);
  if (places === undefined) groups.set(group, [at]);
  else places.push(at);
}

/**
 * The last of equal rows, which stand side by side in the order they were written; none of those that cancel each other out. `sorted` has places in
 * `places`.
 */
function distinct(places: readonly number[], sorted: SortedPlaces, state: FrozenRows): Uint32Array {
  const order = sorted.places.map((at) => places[at] as number);
  let kept = 0;
  let first = 0;
  for (let i = 0; i < order.length; i++) {
    if (i + 1 < order.length && sorted.isSameAsNext(i)) continue;
    const at = order[i] as number;
    const isVoid = state.isVoid?.(order[first] as number, at) ?? false;
    first = i + 1;
    if (!isVoid) order[kept++] = at;
  }
  return order.slice(0, kept);
}

/** Makes `block` of as many of the rows at `places`, from the first on, as it takes; gives their number. */
function appendRows({ group, state }: SortedRows, places: Uint32Array, block: BlockBuilder): number {
  block.begin(joinKeys(uint16Key(group), uint16Key(state.stateId)));
  let rows = 0;
  for (const at of places) {
    state.appendAt(at, block);
    rows++;
    if (block.bytes >= BLOCK_BYTES) break;
  }
  return rows;
}
