/**
 * Memory that rows stand in as bytes, one behind the other: header, key, value.
 *
 * Invariants:
 * - A row keeps its place. Its value may be replaced by one that fits; whoever needs more room makes another row.
 */

import type { BinaryKey } from "../key/binary-key.js";
import { CELL_OFFSET } from "../table/state-table.js";
import type { RowKey } from "./row-key.js";
import type { RowLayer } from "./row-layer.js";

/** The header: hash, size of the row with its flags, length of the key, length of the value. */
const HEADER_WORDS = 4;
const WORD_BYTES = 4;
const SIZE = 1;
const KEY_LENGTH = 2;
const VALUE_LENGTH = 3;
const IS_DELETED = 1;
const IS_USED = 2;
const SIZE_SHIFT = 2;
/** Up to here a loop over the bytes beats a call into native code. */
const LOOP_LENGTH_MAX = 48;

/** Addresses of rows are words; a chunk of one row may be larger. */
export const CHUNK_WORDS = 16 * 1024;
const CHUNK_BYTES = CHUNK_WORDS * WORD_BYTES;
/** A layer begins with a small chunk, since most states of an operator may be small. */
const CHUNK_BYTES_MIN = 4 * 1024;
/** What the index, and the list of an epoch, take for a row. */
const INDEX_BYTES = 20;
const LEAD_BYTES = 5;

/** A row of a chunk. */
export interface ChunkRow {
  readonly chunk: RowChunk;
  readonly place: number;
}

/** Bytes that a row of so many words takes, with its place in the index. */
export function rowBytes(words: number): number {
  return words * WORD_BYTES + INDEX_BYTES;
}

/** Words that a row takes. */
export function rowWords(keyLength: number, valueLength: number): number {
  return HEADER_WORDS + Math.ceil((keyLength + valueLength) / WORD_BYTES);
}

/** Memory that was given back, for the next chunks. */
export class ChunkPool {
  readonly #limit: number;
  readonly #free: Buffer[] = [];

  constructor(limitBytes: number) {
    this.#limit = Math.floor(limitBytes / CHUNK_BYTES);
  }

  /** Memory for a chunk behind one of `before` bytes, that can hold a row of so many words. */
  take(before: number | undefined, words: number): Buffer {
    const bytes = Math.max(words * WORD_BYTES, Math.min(CHUNK_BYTES, 2 * (before ?? CHUNK_BYTES_MIN / 2)));
    const free = bytes === CHUNK_BYTES ? this.#free.pop() : undefined;
    return free ?? Buffer.allocUnsafeSlow(bytes);
  }

  giveBack(memory: Buffer): void {
    if (memory.length === CHUNK_BYTES && this.#free.length < this.#limit) this.#free.push(memory);
  }
}

export class RowChunk {
  readonly id: number;
  readonly layer: RowLayer;
  readonly memory: Buffer;
  /** Rows that are the newest of their keys. */
  liveRows = 0;
  readonly #words: Int32Array;
  #usedWords = 0;
  #rows = 0;

  constructor(id: number, layer: RowLayer, memory: Buffer) {
    this.id = id;
    this.layer = layer;
    this.memory = memory;
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, memory.length / WORD_BYTES);
  }

  /** What its rows take, as `rowBytes` says. */
  get bytes(): number {
    return this.#usedWords * WORD_BYTES + this.#rows * INDEX_BYTES;
  }

  /** Whether a row of so many words fits. */
  hasRoom(words: number): boolean {
    return this.#usedWords + words <= this.#words.length;
  }

  /** Adds a row without a value. Returns its place. */
  add(key: RowKey, words: number): number {
    const at = this.#begin(words);
    this.#words[at] = key.hash;
    this.#words[at + SIZE] = words << SIZE_SHIFT;
    this.#words[at + KEY_LENGTH] = key.length;
    copy({ source: key.memory, start: 0, end: key.length }, this.memory, (at + HEADER_WORDS) * WORD_BYTES);
    return at;
  }

  /** Adds a copy of a row of another chunk, as not used. Returns its place. */
  addCopy(source: RowChunk, from: number): number {
    const words = source.sizeOf(from);
    const at = this.#begin(words);
    this.#words.set(source.#words.subarray(from, from + words), at);
    this.#words[at + SIZE] = (this.#words[at + SIZE] as number) & ~IS_USED;
    return at;
  }

  /** Begins anew: none of its rows counts any more. */
  reset(): void {
    this.#usedWords = 0;
    this.#rows = 0;
  }

  /** Behind the last row. The first one is at 0, the next ones where those before them end. */
  get end(): number {
    return this.#usedWords;
  }

  hashOf(at: number): number {
    return this.#words[at] as number;
  }

  isKey(at: number, { length, memory }: RowKey): boolean {
    if (this.#words[at + KEY_LENGTH] !== length) return false;
    const own = this.memory;
    const start = keyStart(at);
    for (let index = 0; index < length; index++) if (own[start + index] !== memory[index]) return false;
    return true;
  }

  keyOf(at: number): BinaryKey {
    const start = keyStart(at);
    return this.memory.toString("latin1", start, start + this.#keyLength(at)) as BinaryKey;
  }

  /** With how many bytes, behind key group and state, the key begins as that of another row; at most `limit`. */
  sharedLength(at: number, other: ChunkRow, limit: number): number {
    const end = Math.min(limit, this.#keyLength(at) - CELL_OFFSET, other.chunk.#keyLength(other.place) - CELL_OFFSET);
    const own = this.memory;
    const others = other.chunk.memory;
    const ownStart = keyStart(at) + CELL_OFFSET;
    const otherStart = keyStart(other.place) + CELL_OFFSET;
    let shared = 0;
    while (shared < end && own[ownStart + shared] === others[otherStart + shared]) shared++;
    return shared;
  }

  /** Five bytes of the key behind key group, state and `skip` others, as a number; those that are missing count as 0. */
  leadOf(at: number, skip: number): number {
    const start = keyStart(at) + CELL_OFFSET;
    const end = keyStart(at) + this.#keyLength(at);
    let lead = 0;
    for (let from = start + skip; from < start + skip + LEAD_BYTES; from++) {
      lead = lead * 0x100 + (from < end ? (this.memory[from] as number) : 0);
    }
    return lead;
  }

  /** As comparators of `Array.sort`, of rows of one key group and state. */
  compareKeys(at: number, other: ChunkRow): number {
    const shared = CELL_OFFSET + this.sharedLength(at, other, Number.POSITIVE_INFINITY);
    const [length, otherLength] = [this.#keyLength(at), other.chunk.#keyLength(other.place)];
    if (shared === length || shared === otherLength) return length - otherLength;
    return (
      (this.memory[keyStart(at) + shared] as number) - (other.chunk.memory[keyStart(other.place) + shared] as number)
    );
  }

  groupOf(at: number): number {
    const start = keyStart(at);
    return ((this.memory[start] as number) << 8) | (this.memory[start + 1] as number);
  }

  valueStart(at: number): number {
    return keyStart(at) + this.#keyLength(at);
  }

  valueEnd(at: number): number {
    return this.valueStart(at) + (this.#words[at + VALUE_LENGTH] as number);
  }

  sizeOf(at: number): number {
    return (this.#words[at + SIZE] as number) >>> SIZE_SHIFT;
  }

  /** Whether a value of `length` bytes fits the row. */
  fits(at: number, length: number): boolean {
    return rowWords(this.#keyLength(at), length) <= this.sizeOf(at);
  }

  /** Replaces the value of a row by the bytes of `source` from `start` to `end`. */
  setValue(at: number, source: Uint8Array, start: number, end: number): void {
    this.#words[at + VALUE_LENGTH] = end - start;
    this.#words[at + SIZE] = (this.#words[at + SIZE] as number) & ~IS_DELETED;
    copy({ source, start, end }, this.memory, this.valueStart(at));
  }

  /** The row says that the key is deleted. */
  setDeleted(at: number): void {
    this.#words[at + VALUE_LENGTH] = 0;
    this.#set(at, IS_DELETED);
  }

  isDeleted(at: number): boolean {
    return this.#has(at, IS_DELETED);
  }

  setUsed(at: number): void {
    this.#set(at, IS_USED);
  }

  isUsed(at: number): boolean {
    return this.#has(at, IS_USED);
  }

  #keyLength(at: number): number {
    return this.#words[at + KEY_LENGTH] as number;
  }

  #begin(words: number): number {
    const at = this.#usedWords;
    this.#usedWords += words;
    this.#rows++;
    this.liveRows++;
    return at;
  }

  #set(at: number, flag: number): void {
    this.#words[at + SIZE] = (this.#words[at + SIZE] as number) | flag;
  }

  #has(at: number, flag: number): boolean {
    return ((this.#words[at + SIZE] as number) & flag) !== 0;
  }
}

function keyStart(at: number): number {
  return (at + HEADER_WORDS) * WORD_BYTES;
}

/** A part of some memory. */
interface Bytes {
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function copy({ source, start, end }: Bytes, target: Buffer, at: number): void {
  if (end - start > LOOP_LENGTH_MAX) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number;
}
