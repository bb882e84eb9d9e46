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
import { EntryEncoder } from "./entry-encoder.js";
import { openedEntries, openedValue } from "./entry-text.js";
import { BYTES, type BytesOptions, type LevelDatabase, OWN_BYTES, TEXT, type TextRange } from "./level-database.js";
import { corruptError } from "./level-error.js";
import { NOTHING, registerOfText } from "./seal.js";

/** A getMany of more keys holds the event loop for too long. */
const READ_KEYS = 1_000;
const SCAN_ENTRIES = 1_000;
const SCAN_BYTES = 1024 * 1024;
/** Of a key that is shown. */
const SHOWN_LENGTH = 40;

export class LevelSpace {
  readonly database: LevelDatabase;
  /** Where it is, for people. */
  readonly place: string;
  /** Of the calls that write. */
  readonly options: BytesOptions;
  /** How entries are written. */
  readonly entries: EntryEncoder;
  /** How records are written, by name. */
  readonly records: EntryEncoder;
  readonly #prefix: string;
  readonly #register: number;
  readonly #recordPrefix: string;

  /** @param isOwn whether it is a LevelDB whose own encodings are bytes */
  constructor(database: LevelDatabase, prefix: string, place: string, isOwn = false) {
    this.options = isOwn ? OWN_BYTES : BYTES;
    this.database = database;
    this.place = place;
    this.#prefix = `${prefix}d`;
    this.#register = registerOfText(NOTHING, this.#prefix);
    this.#recordPrefix = `${prefix}m`;
    this.entries = new EntryEncoder(this.#prefix, isOwn);
    this.records = new EntryEncoder(this.#recordPrefix, isOwn);
  }

  /** Everything of the store, records too. */
  get range(): TextRange {
    return { ...TEXT, gte: this.#prefix, lt: successorOf(this.#recordPrefix) };
  }

  /** Keys that begin with `prefix`. */
  rangeOfPrefix(prefix: string): TextRange {
    const gte = this.#prefix + prefix;
    return { ...TEXT, gte, lt: successorOf(gte) };
  }

  /** Keys of the groups `first` to `last`. */
  rangeOfGroups(first: number, last: number): TextRange {
    const { gte } = this.rangeOfPrefix(groupKey(first));
    const { lt } = this.rangeOfPrefix(groupKey(last));
    return { ...TEXT, gte, lt };
  }

  /** The record `name`; `undefined` if there is none. */
  async readRecord(name: string): Promise<Uint8Array | undefined> {
    const key = this.#recordPrefix + name;
    const [text] = (await this.database.getMany([key], TEXT)) as (string | undefined)[];
    if (text === undefined) return undefined;
    const value = openedValue(registerOfText(NOTHING, key), text);
    if (value === undefined) throw corruptError(this.place, `A record fails its checksum. name=${name}`);
    return value;
  }

  /** Whether there is a record `name`, whatever it says. */
  async hasRecord(name: string): Promise<boolean> {
    const [text] = await this.database.getMany([this.#recordPrefix + name], TEXT);
    return text !== undefined;
  }

  /** The first keys of entries in `range`, at most `limit`. */
  async keysIn(range: TextRange, limit: number): Promise<readonly BinaryKey[]> {
    const iterator = this.database.keys({ ...range, highWaterMarkBytes: SCAN_BYTES });
    try {
      const keys = (await iterator.nextv(limit)) as string[];
      return keys.map((key) => key.slice(this.#prefix.length) as BinaryKey);
    } finally {
      await iterator.close();
    }
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length <= READ_KEYS) return this.#getSome(keys);
    const values: (Uint8Array | undefined)[] = [];
    for (let first = 0; first < keys.length; first += READ_KEYS) {
      values.push(...(await this.#getSome(keys.slice(first, first + READ_KEYS))));
    }
    return values;
  }

  async #getSome(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const stored = keys.map((key) => this.#prefix + key);
    const texts = (await this.database.getMany(stored, TEXT)) as (string | undefined)[];
    return texts.map((text, index) => (text === undefined ? undefined : this.#open(keys[index] as BinaryKey, text)));
  }

  getSync(key: BinaryKey): Uint8Array | undefined {
    const text = this.database.getSync(this.#prefix + key, TEXT) as string | undefined;
    return text === undefined ? undefined : this.#open(key, text);
  }

  /** The entries of `range` at the first call of `next`. While a chunk is used the next one is read. */
  async *scan({ start, end }: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    if (start >= end) return;
    const range = { ...TEXT, gte: this.#prefix + start, lt: this.#prefix + end, highWaterMarkBytes: SCAN_BYTES };
    const iterator = this.database.iterator(range);
    let reading = iterator.nextv(SCAN_ENTRIES);
    try {
      for (;;) {
        const rows = (await reading) as [string, string][];
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

  #entriesOf(rows: readonly (readonly [string, string])[]): readonly StoreEntry[] {
    const skip = this.#prefix.length;
    const entries = openedEntries(rows, skip);
    if (entries !== undefined) return entries;
    const damaged = rows.find((row) => openedEntries([row], skip) === undefined);
    throw this.#damaged(damaged?.[0].slice(skip) ?? "");
  }

  #open(key: BinaryKey, text: string): Uint8Array {
    const value = openedValue(registerOfText(this.#register, key), text);
    if (value === undefined) throw this.#damaged(key);
    return value;
  }

  #damaged(key: string): Error {
    const shown = Buffer.from(key.slice(0, SHOWN_LENGTH), "latin1").toString("hex");
    return corruptError(this.place, `A value fails its checksum. key=${shown}`);
  }
}

/** The two characters that the keys of `group` begin with. */
function groupKey(group: number): string {
  return String.fromCharCode(group >>> 8, group & 0xff);
}

/** The least text above all that begin with `prefix`. Characters are below U+0100, and there is one above each. */
function successorOf(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
