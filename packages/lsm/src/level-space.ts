/**
 * The keys of one store in a database, all below one prefix: entries behind `d`, what is known of them behind `m`.
 *
 * Invariants:
 * - Entries keep the order of their keys.
 * - Nothing outside of the prefix is read or written.
 * - What fails its checksum is never handed out.
 *
 * @see docs/formats.md#leveldb
 */

import type { BinaryKey, KeyRange, StoreEntry } from "@tidemark/core";
import { EntryBuffers } from "./entry-buffers.js";
import { CHECKSUM_BYTES, seal, unsealed } from "./envelope.js";
import { BYTES, type BytesOptions, type BytesRange, type LevelDatabase, OWN_BYTES } from "./level-database.js";
import { corruptError } from "./level-error.js";

/** A getMany of more keys holds the event loop for too long. */
const READ_KEYS = 1_000;
const SCAN_ENTRIES = 1_000;
const SCAN_BYTES = 1024 * 1024;
const COPIED_BYTES = 64;

export class LevelSpace {
  readonly database: LevelDatabase;
  /** Where it is, for people. */
  readonly place: string;
  readonly options: BytesOptions;
  readonly #prefix: string;
  readonly #entries: string;
  readonly #entryBytes: Buffer;
  readonly #keys: EntryBuffers;
  readonly #values: EntryBuffers;

  /** @param isOwn whether it is a LevelDB whose own encodings are bytes */
  constructor(database: LevelDatabase, prefix: string, place: string, isOwn = false) {
    this.options = isOwn ? OWN_BYTES : BYTES;
    this.#keys = new EntryBuffers(isOwn);
    this.#values = new EntryBuffers(isOwn);
    this.database = database;
    this.place = place;
    this.#prefix = prefix;
    this.#entries = `${prefix}d`;
    this.#entryBytes = Buffer.from(this.#entries, "latin1");
  }

  keyOf(key: BinaryKey): Buffer {
    return this.#filled(Buffer.allocUnsafe(this.#entryBytes.length + key.length), key);
  }

  /** As `keyOf`, until the next call. */
  keyToWrite(key: BinaryKey): Buffer {
    return this.#filled(this.#keys.take(this.#entryBytes.length + key.length), key);
  }

  /** `value` as it is stored under `key`, until the next call. */
  valueToWrite(key: Buffer, value: Uint8Array): Buffer {
    return seal(key, value, this.#values.take(CHECKSUM_BYTES + value.length));
  }

  #filled(stored: Buffer, key: BinaryKey): Buffer {
    const skip = this.#entryBytes.length;
    const { length } = stored;
    for (let at = 0; at < skip; at++) stored[at] = this.#entryBytes[at] as number;
    // For so few bytes it is faster than a call out of JavaScript, and than joining the two texts.
    if (length <= COPIED_BYTES) for (let at = skip; at < length; at++) stored[at] = key.charCodeAt(at - skip);
    else stored.write(key, skip, "latin1");
    return stored;
  }

  metaKey(name: string): Buffer {
    return Buffer.from(`${this.#prefix}m${name}`, "latin1");
  }

  /** Everything of the store, records too. */
  get range(): BytesRange {
    return { ...BYTES, gte: this.keyOf("" as BinaryKey), lt: Buffer.from(`${this.#prefix}n`, "latin1") };
  }

  /** Keys that begin with `prefix`. */
  rangeOfPrefix(prefix: string): BytesRange {
    const from = this.#entries + prefix;
    return { ...BYTES, gte: Buffer.from(from, "latin1"), lt: Buffer.from(successorOf(from), "latin1") };
  }

  /** Keys of the groups `first` to `last`. */
  rangeOfGroups(first: number, last: number): BytesRange {
    const { gte } = this.rangeOfPrefix(groupKey(first));
    const { lt } = this.rangeOfPrefix(groupKey(last));
    return { ...BYTES, gte, lt };
  }

  /** The record `name`; `undefined` if there is none. */
  async readMeta(name: string): Promise<Uint8Array | undefined> {
    const key = this.metaKey(name);
    const [stored] = (await this.database.getMany([key], this.options)) as (Buffer | undefined)[];
    return stored === undefined ? undefined : this.#open(key, stored);
  }

  /** Whether there is a record `name`, whatever it says. */
  async hasRecord(name: string): Promise<boolean> {
    const [stored] = await this.database.getMany([this.metaKey(name)], this.options);
    return stored !== undefined;
  }

  /** The first stored keys of `range`, at most `limit`. */
  async keysIn(range: BytesRange, limit: number): Promise<readonly Uint8Array[]> {
    const iterator = this.database.keys({ ...range, highWaterMarkBytes: SCAN_BYTES });
    try {
      return (await iterator.nextv(limit)) as Uint8Array[];
    } finally {
      await iterator.close();
    }
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = [];
    for (let first = 0; first < keys.length; first += READ_KEYS) {
      const stored = keys.slice(first, first + READ_KEYS).map((key) => this.keyOf(key));
      const found = (await this.database.getMany(stored, this.options)) as (Buffer | undefined)[];
      for (const [index, value] of found.entries()) {
        values.push(value === undefined ? undefined : this.#open(stored[index] as Buffer, value));
      }
    }
    return values;
  }

  getSync(key: BinaryKey): Uint8Array | undefined {
    const stored = this.keyOf(key);
    const value = this.database.getSync(stored, this.options) as Buffer | undefined;
    return value === undefined ? undefined : this.#open(stored, value);
  }

  /** The entries of `range` at the first call of `next`. While a chunk is used the next one is read. */
  async *scan({ start, end }: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    if (start >= end) return;
    const range = { ...BYTES, gte: this.keyOf(start), lt: this.keyOf(end), highWaterMarkBytes: SCAN_BYTES };
    const iterator = this.database.iterator(range);
    let reading = iterator.nextv(SCAN_ENTRIES);
    try {
      for (;;) {
        const rows = (await reading) as [Buffer, Buffer][];
        if (rows.length === 0) return;
        reading = iterator.nextv(SCAN_ENTRIES);
        // Its failure is for the next turn, if there is one.
        reading.catch(() => undefined);
        yield this.#entriesOf(rows);
      }
    } finally {
      await iterator.close();
    }
  }

  #entriesOf(rows: readonly [Buffer, Buffer][]): readonly StoreEntry[] {
    const skip = this.#entries.length;
    return rows.map(([key, value]) => ({
      key: key.toString("latin1", skip) as BinaryKey,
      value: this.#open(key, value),
    }));
  }

  #open(key: Buffer, stored: Buffer): Uint8Array {
    const value = unsealed(key, stored);
    if (value !== undefined) return value;
    const what = `A value fails its checksum. key=${key.subarray(this.#entries.length, this.#entries.length + 40).toString("hex")}`;
    throw corruptError(this.place, what);
  }
}

/** The two bytes that the keys of `group` begin with. */
function groupKey(group: number): string {
  return String.fromCharCode(group >>> 8, group & 0xff);
}

/** The least text above all that begin with `prefix`, which does not consist of the highest character alone. */
function successorOf(prefix: string): string {
  let end = prefix.length;
  while (prefix.charCodeAt(end - 1) === 0xff) end--;
  return prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
}
