/**
 * What memory holds, as bytes, of a state whose rest is in a store, found by one look into one index. Each row belongs to a layer:
 *
 *   current   written in this epoch
 *   frozen    of epochs whose changes the store does not have yet
 *   clean     the store has the same: what it got of ended epochs, and what was read from it
 *
 *   ──write──▶ current ──freeze──▶ frozen ──applied──▶ clean ──forget──▶ (store)
 *
 * Invariants:
 * - The index knows the newest row of each key. It says everything about its key: older rows, and the store, are not asked.
 * - A row of a frozen layer does not change: who writes over it makes another one.
 * - Only clean rows go when memory gets short, the oldest chunk of them first. Of its rows those that were used are kept for another round.
 */

import { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { FrozenRows } from "../table/frozen-rows.js";
import type { MemoryBudget, MemoryUser } from "./memory-budget.js";
import { CHUNK_WORDS, type ChunkPool, RowChunk, rowBytes, rowWords } from "./row-chunk.js";
import { RowIndex } from "./row-index.js";
import type { RowKey } from "./row-key.js";
import { RowLayer } from "./row-layer.js";

/** So many rows come between two looks at the budget. */
const LOOK_ROWS = 64;
/** A row that has to grow gets so much more than it needs, so that it does not move each time. */
const GROWTH = 1.5;
/** The address of no row. */
const NONE = 0;

/** A row that the store does not have. */
export interface UnappliedRow {
  readonly key: BinaryKey;
  readonly group: number;
  readonly address: number;
}

export class EncodedRows implements MemoryUser {
  readonly #budget: MemoryBudget;
  readonly #pool: ChunkPool;
  readonly #index = new RowIndex();
  /** By id; 0 is never used, so that no row has the address 0. */
  readonly #chunks: (RowChunk | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  readonly #reader = new ByteReader(Buffer.alloc(0));
  #current = new RowLayer(false);
  /** Oldest first. */
  #frozen: readonly RowLayer[] = [];
  /** Of what was read. */
  readonly #read = new RowLayer(true);
  /** Chunks whose rows the store has, those that go first at the beginning. */
  readonly #clean: RowChunk[] = [];
  #currentBytes = 0;
  #frozenBytes = 0;
  #cleanBytes = 0;
  #rowsToLook = LOOK_ROWS;

  constructor(budget: MemoryBudget, pool: ChunkPool) {
    this.#budget = budget;
    this.#pool = pool;
    budget.add(this);
  }

  /** What the current epoch wrote. */
  get writtenBytes(): number {
    return this.#currentBytes;
  }

  get unappliedBytes(): number {
    return this.#currentBytes + this.#frozenBytes;
  }

  get cleanBytes(): number {
    return this.#cleanBytes;
  }

  /** The address of the newest row of `key`, or 0. Good until the next change. */
  find(key: RowKey): number {
    const slot = this.#slotOf(key);
    if (slot < 0) return NONE;
    const address = this.#index.addressAt(slot);
    this.#chunkOf(address).setUsed(placeOf(address));
    return address;
  }

  /** Whether memory has a row of `key`. */
  has(key: RowKey): boolean {
    return this.#slotOf(key) >= 0;
  }

  isDeleted(address: number): boolean {
    return this.#chunkOf(address).isDeleted(placeOf(address));
  }

  /** A reader of the value of a row, valid until the next call. */
  valueOf(address: number): ByteReader {
    const chunk = this.#chunkOf(address);
    const at = placeOf(address);
    this.#reader.reset(chunk.memory, chunk.valueStart(at), chunk.valueEnd(at));
    return this.#reader;
  }

  /** Writes a value, encoded, or that there is none. */
  write(key: RowKey, value: ByteWriter | undefined): void {
    const slot = this.#slotOf(key);
    const length = value?.length ?? 0;
    if (slot < 0) {
      const address = this.#add(this.#current, key, length);
      this.#index.add(key.hash, address);
      this.#fill(address, value);
    } else {
      this.#writeOver(slot, key, length, value);
    }
  }

  /** Takes in what the store has of `key`, where memory has nothing: the bytes of `stored` from `start` on, or nothing. */
  keep(key: RowKey, stored: Uint8Array | undefined, start: number): void {
    const address = this.#add(this.#read, key, stored === undefined ? 0 : stored.length - start);
    this.#index.add(key.hash, address);
    const chunk = this.#chunkOf(address);
    if (stored === undefined) chunk.setDeleted(placeOf(address));
    else chunk.setValue(placeOf(address), stored, start, stored.length);
    this.#look();
  }

  /** The newest rows of their keys, as far as the store does not have them. */
  *unapplied(): Generator<UnappliedRow, void, undefined> {
    for (const layer of [...this.#frozen, this.#current]) {
      for (let at = 0; at < layer.count; at++) {
        const chunk = layer.chunkAt(at);
        const place = layer.placeAt(at);
        const address = addressOf(chunk, place);
        if (this.#index.slotOf(chunk.hashOf(place), address) < 0) continue;
        yield { key: chunk.keyOf(place), group: chunk.groupOf(place), address };
      }
    }
  }

  /** Ends the epoch: a new layer takes the writes to come. Returns what the old one wrote; values have `flags`. */
  freeze(epoch: number, stateId: number, flags: number): FrozenRows {
    const ended = this.#current;
    if (ended.count > 0) this.#frozen = [...this.#frozen, ended];
    this.#frozenBytes += this.#currentBytes;
    this.#currentBytes = 0;
    this.#current = new RowLayer(false);
    return ended.freeze(epoch, stateId, flags);
  }

  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void {
    const applied = this.#frozen.filter((layer) => layer.epoch <= epoch);
    if (applied.length === 0) return;
    this.#frozen = this.#frozen.filter((layer) => layer.epoch > epoch);
    for (const layer of applied) {
      const { chunks } = layer;
      layer.settle();
      for (const chunk of chunks) {
        this.#frozenBytes -= chunk.bytes;
        this.#cleanBytes += chunk.bytes;
        this.#clean.push(chunk);
        if (chunk.liveRows === 0) this.#drop(chunk);
      }
    }
    this.#budget.settle();
  }

  forget(bytes: number): void {
    const enough = this.#cleanBytes - bytes;
    // In one round what was used becomes unused, in the next it goes.
    for (let left = 2 * this.#clean.length + 2; left > 0 && this.#cleanBytes > enough; left--) this.#forgetOldest();
  }

  #slotOf(key: RowKey): number {
    const index = this.#index;
    const { hash } = key;
    for (let slot = index.first(hash); ; slot = index.next(slot)) {
      const address = index.addressAt(slot);
      if (address === NONE) return -1;
      if (index.hashAt(slot) === hash && this.#chunkOf(address).isKey(placeOf(address), key)) return slot;
    }
  }

  #chunkOf(address: number): RowChunk {
    return this.#chunks[(address / CHUNK_WORDS) | 0] as RowChunk;
  }

  #writeOver(slot: number, key: RowKey, length: number, value: ByteWriter | undefined): void {
    const before = this.#index.addressAt(slot);
    const chunk = this.#chunkOf(before);
    const isCurrent = chunk.layer === this.#current;
    if (isCurrent && chunk.fits(placeOf(before), length)) {
      setContent(chunk, placeOf(before), value);
      return;
    }
    const address = this.#add(this.#current, key, isCurrent ? Math.ceil(GROWTH * length) : length);
    this.#index.move(slot, address);
    chunk.liveRows--;
    if (chunk.liveRows === 0 && chunk.layer.isClean) this.#drop(chunk);
    this.#fill(address, value);
  }

  /** Makes a row, without a content, with room for a value of so many bytes. Returns its address. */
  #add(layer: RowLayer, key: RowKey, length: number): number {
    const words = rowWords(key.length, length);
    const chunk = this.#roomIn(layer, words);
    const place = chunk.add(key, words);
    if (layer === this.#current) {
      layer.list(place);
      this.#currentBytes += rowBytes(words);
    } else {
      this.#cleanBytes += rowBytes(words);
    }
    return addressOf(chunk, place);
  }

  #fill(address: number, value: ByteWriter | undefined): void {
    setContent(this.#chunkOf(address), placeOf(address), value);
    this.#look();
  }

  /** The last chunk of a layer, or a new one. */
  #roomIn(layer: RowLayer, words: number): RowChunk {
    const last = layer.chunks.at(-1);
    if (last?.hasRoom(words) === true) return last;
    const id = this.#freeIds.pop() ?? this.#chunks.length;
    const chunk = new RowChunk(id, layer, this.#pool.take(last?.memory.length, words));
    this.#chunks[id] = chunk;
    layer.addChunk(chunk);
    if (layer.isClean) this.#clean.push(chunk);
    return chunk;
  }

  #look(): void {
    if (--this.#rowsToLook > 0) return;
    this.#rowsToLook = LOOK_ROWS;
    this.#budget.settle();
  }

  /** No row of a clean chunk is live. The one that takes what is read stays. */
  #drop(chunk: RowChunk): void {
    if (this.#read.chunks.at(-1) === chunk) {
      this.#cleanBytes -= chunk.bytes;
      chunk.reset();
      return;
    }
    this.#clean.splice(this.#clean.indexOf(chunk), 1);
    this.#free(chunk);
  }

  /** Lets the oldest clean chunk go. Rows that were used since the last round stay, as unused ones, among those that were read. */
  #forgetOldest(): void {
    const chunk = this.#clean.shift();
    if (chunk === undefined) return;
    this.#read.endChunk(chunk);
    for (let place = 0; place < chunk.end && chunk.liveRows > 0; place += chunk.sizeOf(place)) {
      const slot = this.#index.slotOf(chunk.hashOf(place), addressOf(chunk, place));
      if (slot < 0) continue;
      chunk.liveRows--;
      if (chunk.isUsed(place)) this.#index.move(slot, this.#keepCopy(chunk, place));
      else this.#index.remove(slot);
    }
    this.#free(chunk);
  }

  #keepCopy(chunk: RowChunk, place: number): number {
    const words = chunk.sizeOf(place);
    const target = this.#roomIn(this.#read, words);
    this.#cleanBytes += rowBytes(words);
    return addressOf(target, target.addCopy(chunk, place));
  }

  /** The memory of a clean chunk is for others now, unless somebody reads it still. */
  #free(chunk: RowChunk): void {
    this.#cleanBytes -= chunk.bytes;
    this.#chunks[chunk.id] = undefined;
    this.#freeIds.push(chunk.id);
    if (chunk.layer.isUnread) this.#pool.giveBack(chunk.memory);
  }
}

function addressOf(chunk: RowChunk, place: number): number {
  return chunk.id * CHUNK_WORDS + place;
}

function placeOf(address: number): number {
  return address % CHUNK_WORDS;
}

function setContent(chunk: RowChunk, place: number, value: ByteWriter | undefined): void {
  if (value === undefined) chunk.setDeleted(place);
  else chunk.setValue(place, value.memory, 0, value.length);
}
