/**
 * Rows that belong together: those that one epoch wrote, in the order of the first writes, or those that were read.
 *
 * Invariants:
 * - Frozen rows give what the barrier found as long as the store does not have it, and as long as somebody reads who began before that.
 */

import { assert } from "../assert.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import type { FrozenRows } from "../table/frozen-rows.js";
import type { SortKeys } from "../table/sort-keys.js";
import { CHUNK_WORDS, type RowChunk } from "./row-chunk.js";

const LISTED_MIN = 64;

export class RowLayer {
  #chunks: RowChunk[] = [];
  /** Of the rows that were listed: place of the chunk, and place in it. */
  #places = new Int32Array(0);
  #count = 0;
  #isClean: boolean;
  #epoch = 0;
  #readers = 0;
  /** With how many bytes, behind key group and state, all keys begin alike. */
  #shared = Number.POSITIVE_INFINITY;

  constructor(isClean: boolean) {
    this.#isClean = isClean;
  }

  /** Rows that were listed. */
  get count(): number {
    return this.#count;
  }

  /** Whether the store has what it says. */
  get isClean(): boolean {
    return this.#isClean;
  }

  /** That it is of, once it is frozen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Chunks of an epoch; of what was read only the last one. */
  get chunks(): readonly RowChunk[] {
    return this.#chunks;
  }

  /** Whether nobody reads what is in its chunks. */
  get isUnread(): boolean {
    return this.#readers === 0;
  }

  addChunk(chunk: RowChunk): void {
    if (this.#isClean) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }

  /** What was read goes on in another chunk. */
  endChunk(chunk: RowChunk): void {
    if (this.#chunks.at(-1) === chunk) this.#chunks = [];
  }

  /** Lists a row of the last chunk. */
  list(place: number): void {
    if (this.#count === this.#places.length) {
      const longer = new Int32Array(Math.max(LISTED_MIN, 2 * this.#count));
      longer.set(this.#places);
      this.#places = longer;
    }
    this.#places[this.#count++] = (this.#chunks.length - 1) * CHUNK_WORDS + place;
    // Now the key is at hand; at the barrier it would have to be fetched.
    const first = { chunk: this.chunkAt(0), place: this.placeAt(0) };
    this.#shared = this.chunkAt(this.#count - 1).sharedLength(place, first, this.#shared);
  }

  get sharedLength(): number {
    return this.#shared;
  }

  chunkAt(at: number): RowChunk {
    return this.#chunks[((this.#places[at] as number) / CHUNK_WORDS) | 0] as RowChunk;
  }

  placeAt(at: number): number {
    return (this.#places[at] as number) % CHUNK_WORDS;
  }

  /** Ends the epoch. Values are to have `flags`. */
  freeze(epoch: number, stateId: number, flags: number): FrozenRows {
    this.#epoch = epoch;
    return {
      stateId,
      count: this.#count,
      groupAt: (at) => this.chunkAt(at).groupOf(this.placeAt(at)),
      // A row that had to make room for another one of its key comes before that, and so does not count.
      isDroppedAt: () => false,
      sortKeyAt: (at) => this.chunkAt(at).keyOf(this.placeAt(at)),
      sortKeysOf: (places) => new ChunkKeys(this, places),
      appendAt: (at, block) => {
        const chunk = this.chunkAt(at);
        const place = this.placeAt(at);
        const isDeleted = chunk.isDeleted(place);
        const out = block.appendWhole(chunk.keyOf(place), isDeleted ? FLAG_DELETE : flags);
        if (!isDeleted) out.copy(chunk.memory, chunk.valueStart(place), chunk.valueEnd(place));
      },
      completedAt() {},
      hold: () => this.#hold(),
      release: () => this.#release(),
    };
  }

  /** The store has what it says. */
  settle(): void {
    this.#isClean = true;
    if (this.#readers === 0) this.#letGo();
  }

  #hold(): void {
    assert(!this.#isClean || this.#readers > 0, "frozen rows are read while they are there");
    this.#readers++;
  }

  #release(): void {
    this.#readers--;
    if (this.#isClean && this.#readers === 0) this.#letGo();
  }

  /** Its rows stay where the index has them. */
  #letGo(): void {
    this.#chunks = [];
    this.#places = new Int32Array(0);
  }
}

/** Keys where they stand. Their units are bytes. */
class ChunkKeys implements SortKeys {
  readonly #layer: RowLayer;
  readonly #places: readonly number[];

  constructor(layer: RowLayer, places: readonly number[]) {
    this.#layer = layer;
    this.#places = places;
  }

  get count(): number {
    return this.#places.length;
  }

  sharedLength(_from: number, _until: number, limit: number): number {
    return Math.min(limit, this.#layer.sharedLength);
  }

  leadOf(at: number, skip: number): number {
    const row = this.#placeOf(at);
    return this.#layer.chunkAt(row).leadOf(this.#layer.placeAt(row), skip);
  }

  compare(a: number, b: number): number {
    const first = this.#placeOf(a);
    const second = this.#placeOf(b);
    const other = { chunk: this.#layer.chunkAt(second), place: this.#layer.placeAt(second) };
    return this.#layer.chunkAt(first).compareKeys(this.#layer.placeAt(first), other);
  }

  #placeOf(at: number): number {
    return this.#places[at] as number;
  }
}
