/**
 * The key groups of one open scope in Redis: how they are read and changed.
 *
 * Invariants:
 * - Nothing is handed out that was not read while this owner had the key group, with every write there that it knows of.
 * - What fails its checksum is never handed out.
 *
 * @see docs/formats.md#redis
 */

import type { BinaryKey, Fence, StoreEntry, StoreMark } from "@tidemark/core";
import type { Calls } from "./calls.js";
import { markText, unsealed } from "./envelope.js";
import { globOf } from "./glob.js";
import type { GroupRecord } from "./group-record.js";
import { PackedList } from "./packed-list.js";
import type { Prefixes } from "./prefixes.js";
import type { Argument } from "./redis-client.js";
import { fencedError, lossError } from "./redis-error.js";
import { CHANGE, MARK, RECORD_FIELDS, RESET, type Script, TAINT } from "./scripts.js";
import { type Part, PartIndex, SharedScans } from "./shared-scans.js";
import { textOf } from "./reply-text.js";

const READ_KEYS = 1_000;
const SCAN_COUNT = 1_000;
const ATTEMPTS = 3;
/** From so many parts on one pass that hands all rows on costs less than one for each, in which the server picks. */
const SHARED_PARTS = 4;

/** What the record of a key group says at a moment. */
interface Moment {
  readonly token: number;
  readonly entries: number;
}

export class RedisSpace {
  readonly #calls: Calls;
  readonly #fence: string;
  readonly #scans = new SharedScans((record, parts) => this.#parts(record, parts));
  /** Whether the last read met a key that is absent. */
  #expectsAbsent = false;

  constructor(calls: Calls, fence: Fence) {
    this.#calls = calls;
    this.#fence = fenceText(fence);
  }

  /** The values of `keys`, all of one key group. */
  async values(record: GroupRecord, keys: readonly BinaryKey[]): Promise<readonly (Buffer | undefined)[]> {
    const values: (Buffer | undefined)[] = [];
    for (let first = 0; first < keys.length; first += READ_KEYS) {
      const fields = keys.slice(first, first + READ_KEYS).map(fieldOf);
      const stored = await this.#look(record, fields);
      for (const [index, field] of fields.entries()) {
        const value = stored[index];
        values.push(value === null || value === undefined ? undefined : this.#open(record, field, value));
      }
    }
    return values;
  }

  /** Entries of `record` whose keys are in the range, ascending. All of them are in memory at once. */
  async entries(record: GroupRecord, start: BinaryKey, end: BinaryKey): Promise<readonly StoreEntry[]> {
    const prefix = commonPrefix(start, end);
    if (prefix.length > 2) return this.#scans.read(record, { start, end, prefix });
    const [entries = []] = await this.#pass(record, [{ start, end, prefix }], true);
    return entries;
  }

  /** Few parts are looked for by the server, each in a pass of its own; many are picked out of what all of them have in common. */
  async #parts(record: GroupRecord, parts: readonly Part[]): Promise<readonly (readonly StoreEntry[])[]> {
    if (parts.length >= SHARED_PARTS) return this.#pass(record, parts, false);
    const results = await Promise.all(parts.map((part) => this.#pass(record, [part], false)));
    return results.flat();
  }

  async #pass(
    record: GroupRecord,
    parts: readonly Part[],
    isAll: boolean,
  ): Promise<readonly (readonly StoreEntry[])[]> {
    const index = new PartIndex(parts);
    const common = index.commonPrefix;
    const before = await this.#moment(record);
    const met = new Set<BinaryKey>();
    const results = parts.map((): StoreEntry[] => []);
    for await (const rows of this.#pages(record, common.length > 2 ? common : undefined)) {
      for (let at = 0; at < rows.length; at += 2) {
        const field = rows[at] as Buffer;
        if (field.length === 1) continue;
        const key = field.toString("latin1") as BinaryKey;
        if (met.has(key)) continue;
        met.add(key);
        for (const place of index.placesOf(key)) {
          results[place]?.push({ key, value: this.#open(record, field, rows[at + 1] as Buffer) });
        }
      }
    }
    const after = await this.#moment(record);
    if (isAll && before.token === after.token && met.size !== after.entries) {
      throw lossError(placeOf(record), "entries are missing or foreign");
    }
    return results.map((entries) => entries.sort((a, b) => (a.key < b.key ? -1 : 1)));
  }

  /** Stored keys that begin with one of `prefixes`. */
  async keysBehind(record: GroupRecord, prefixes: Prefixes): Promise<readonly BinaryKey[]> {
    const found = new Set<BinaryKey>();
    for await (const rows of this.#pages(record, prefixes.only)) {
      for (let at = 0; at < rows.length; at += 2) {
        const key = (rows[at] as Buffer).toString("latin1") as BinaryKey;
        if (key.length > 1 && prefixes.has(key)) found.add(key);
      }
    }
    return [...found];
  }

  async change(
    record: GroupRecord,
    applying: StoreMark | undefined,
    deletes: PackedList | undefined,
    puts: PackedList | undefined,
  ): Promise<void> {
    const packed = [deletes, puts].map((list) => list?.bytes() ?? NOTHING);
    await this.#write(record, CHANGE, [markText(record.redisKey, applying), ...packed]);
    record.applying = applying;
  }

  async mark(record: GroupRecord, mark: StoreMark): Promise<void> {
    await this.#write(record, MARK, [markText(record.redisKey, mark)]);
    record.mark = mark;
    record.applying = undefined;
  }

  /** Removes all entries and marks of a key group, not who owns it. */
  async reset(record: GroupRecord): Promise<void> {
    record.hasRemains = true;
    record.mark = undefined;
    record.applying = undefined;
    await this.#write(record, RESET, []);
    record.hasRemains = false;
  }

  /** Writes down that nothing of a key group is to be trusted. */
  async taint(record: GroupRecord): Promise<void> {
    await this.#calls.run(TAINT, [record.redisKey], [this.#fence]);
  }

  /** Sends one write after all others of the key group. */
  async #write(record: GroupRecord, script: Script, args: readonly Argument[]): Promise<void> {
    const writing = record.tail.then(() => this.#attempt(record, script, args));
    record.tail = writing.catch(() => undefined);
    await writing;
  }

  async #attempt(record: GroupRecord, script: Script, args: readonly Argument[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const token = ++record.issued;
      const words = [this.#fence, `${record.confirmed}`, `${token}`, ...args];
      const [status, detail] = await this.#calls.run(script, [record.redisKey], words);
      switch (textOf(status)) {
        case "DONE":
          record.confirmed = token;
          return;
        case "FENCED":
          throw fencedError(placeOf(record));
        case "TOKEN": {
          // An earlier write whose reply was lost took place: what we send now comes behind it.
          const found = Number(textOf(detail));
          const isOurs = found > record.confirmed && found < token;
          if (!isOurs || attempt === ATTEMPTS) throw lossError(placeOf(record), "writes are missing");
          record.confirmed = found;
          break;
        }
        default:
          throw lossError(placeOf(record), textOf(detail));
      }
    }
  }

  /**
   * `fields` of a key group, and proof that the record next to them is ours. A value proves itself by its checksum; that one is absent is believed only if
   * no entry is missing, for which they have to be counted: when that was needed last time, in the same turn.
   */
  async #look(record: GroupRecord, fields: readonly Buffer[]): Promise<readonly (Buffer | null)[]> {
    let isCounted = this.#expectsAbsent;
    for (let attempt = 1; ; attempt++) {
      const [entries, length, values] = await this.#ask(record, fields, isCounted);
      this.#expectsAbsent = values.includes(null);
      if (!this.#expectsAbsent || (isCounted && length === entries + RECORD_FIELDS)) return values;
      if (isCounted && attempt >= ATTEMPTS) throw lossError(placeOf(record), "entries are missing or foreign");
      isCounted = true;
    }
  }

  async #moment(record: GroupRecord): Promise<Moment> {
    for (let attempt = 1; ; attempt++) {
      const [entries, length, [token]] = await this.#ask(record, [Buffer.from("s")], true);
      if (length === entries + RECORD_FIELDS) return { token: Number(textOf(token)), entries };
      if (attempt === ATTEMPTS) throw lossError(placeOf(record), "entries are missing or foreign");
    }
  }

  /** How many entries there should be, how many fields there are, and `fields`, of a record that is ours. */
  async #ask(
    record: GroupRecord,
    fields: readonly Buffer[],
    isCounted: boolean,
  ): Promise<readonly [number, number, readonly (Buffer | null)[]]> {
    const since = record.confirmed;
    // In one turn, so that they reach the server one behind the other.
    const [found, length] = (await Promise.all([
      this.#calls.read("hmget", record.redisKey, "f", "s", "n", ...fields),
      isCounted ? this.#calls.read("hlen", record.redisKey) : Number.NaN,
    ])) as [(Buffer | null)[], number];
    const [fence, token, entries] = found;
    this.#check(record, fence, token, since);
    return [Number(textOf(entries)), Number(length), found.slice(3)];
  }

  #check(record: GroupRecord, fence: Buffer | null | undefined, token: Buffer | null | undefined, since: number): void {
    if (fence === null || fence === undefined) throw lossError(placeOf(record), "the key is gone");
    if (textOf(fence) !== this.#fence) throw fencedError(placeOf(record));
    const number = Number(textOf(token));
    if (number >= since && number <= record.issued) return;
    throw lossError(placeOf(record), "writes are missing");
  }

  /** Fields and values in turn, those of the record too; some may come twice. */
  async *#pages(record: GroupRecord, prefix: BinaryKey | undefined): AsyncGenerator<readonly Buffer[]> {
    const match: Argument[] = prefix === undefined ? [] : ["MATCH", globOf(prefix)];
    let cursor = "0";
    do {
      const reply = await this.#calls.read("hscan", record.redisKey, cursor, ...match, "COUNT", SCAN_COUNT);
      const [next, rows] = reply as [Buffer, Buffer[]];
      yield rows;
      cursor = textOf(next);
    } while (cursor !== "0");
  }

  #open(record: GroupRecord, field: Buffer, stored: Buffer): Buffer {
    const value = unsealed(field, stored);
    if (value !== undefined) return value;
    throw lossError(`${placeOf(record)} key=${field.toString("hex", 0, 40)}`, "a value fails its checksum");
  }
}

const NOTHING = new PackedList().bytes();

export function fenceText({ epoch, nonce }: Fence): string {
  return `${epoch}:${nonce}`;
}

export function placeOf({ redisKey }: GroupRecord): string {
  return `key=${redisKey}`;
}

function fieldOf(key: BinaryKey): Buffer {
  return Buffer.from(key, "latin1");
}

/** What all keys from `start` to `end` begin with. */
function commonPrefix(start: BinaryKey, end: BinaryKey): BinaryKey {
  let length = 0;
  while (length < start.length && start[length] === end[length]) length++;
  const isNextByte =
    length < start.length && length === end.length - 1 && end.charCodeAt(length) === start.charCodeAt(length) + 1;
  return start.slice(0, isNextByte ? length + 1 : length) as BinaryKey;
}
