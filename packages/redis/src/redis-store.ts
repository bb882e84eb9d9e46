/**
 * A `Store` in Redis: one hash for each key group.
 *
 * Invariants:
 * - Changes of the content come one after the other, in the order of the calls.
 * - All key groups are marked as `applying` before the first change is made in any of them; marks are set when all changes of all key groups were made.
 * - A key group is one key, so that what a server loses of it, it loses from the end, with its marks: what is left is an earlier state, and says so.
 *
 * @see docs/contract.md#store
 */

import {
  type AppliedGroups,
  type BinaryKey,
  type Delta,
  type Fence,
  hasCode,
  type KeyGroups,
  type KeyRange,
  StateBackendError,
  type Store,
  type StoreEntry,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";
import { type Connection, connect } from "./connection.js";
import { DeltaWriter } from "./delta-writer.js";
import { appliedOf, type GroupRecord } from "./group-record.js";
import type { CommonSettings } from "./options.js";
import { RedisSpace } from "./redis-space.js";
import { readServerFacts, refuseEviction } from "./server-facts.js";
import { forAll, inspect, recordsOf, takeOver } from "./take-over.js";

const CHUNK_ENTRIES = 1_000;

interface Opened {
  readonly space: RedisSpace;
  readonly records: ReadonlyMap<number, GroupRecord>;
}

export class RedisStore implements Store {
  readonly #settings: CommonSettings;
  readonly #onRebuild: ((reason: string) => void) | undefined;
  #connection: Connection | undefined;
  #open: Opened | undefined;
  #opening: Promise<unknown> | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #emptyBecause: string | undefined;
  #change: Promise<unknown> = Promise.resolve();
  readonly #reads = new Set<Promise<unknown>>();

  constructor(settings: CommonSettings, onRebuild: ((reason: string) => void) | undefined) {
    this.#settings = settings;
    this.#onRebuild = onRebuild;
  }

  get emptyBecause(): string | undefined {
    return this.#emptyBecause;
  }

  async prepare(scope: TaskScope): Promise<void> {
    await this.#begin(async () => {
      const { calls } = await this.#connect();
      await inspect(calls, recordsOf(this.#settings.prefix, scope));
    });
  }

  async open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]> {
    const records = recordsOf(this.#settings.prefix, scope);
    await this.#begin(async () => {
      const { calls } = await this.#connect();
      await inspect(calls, records);
      const reasons = await takeOver(calls, records, fence);
      this.#emptyBecause = reasons[0];
      this.#open = { space: new RedisSpace(calls, fence), records: new Map(records.map((each) => [each.group, each])) };
    });
    if (this.#emptyBecause !== undefined) this.#onRebuild?.(this.#emptyBecause);
    return appliedOf(records);
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { space, records } = this.#check();
    const places = new Map<GroupRecord, number[]>();
    for (const [index, key] of keys.entries()) {
      const record = recordOf(records, key);
      const list = places.get(record);
      if (list === undefined) places.set(record, [index]);
      else list.push(index);
    }
    const values = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    await this.#reading(
      Promise.all(
        [...places].map(([record, indices]) =>
          this.#watched(record, async () => {
            const found = await space.values(
              record,
              indices.map((index) => keys[index] as BinaryKey),
            );
            for (const [at, index] of indices.entries()) values[index] = found[at];
          }),
        ),
      ),
    );
    return values;
  }

  /** Holds the entries of two key groups at a time: those that are used, and those that come next. */
  async *scan({ start, end }: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    const { space, records } = this.#check();
    const inRange = [...records.values()].filter(({ group }) => start < groupKey(group + 1) && groupKey(group) < end);
    const read = (index: number): Promise<readonly StoreEntry[]> | undefined => {
      const record = inRange[index];
      if (record === undefined || start >= end) return undefined;
      const [from, to] = [groupKey(record.group), groupKey(record.group + 1)];
      const reading = this.#reading(
        this.#watched(record, () => space.entries(record, start > from ? start : from, end < to ? end : to)),
      );
      // Its failure is for its turn, if there is one.
      reading.catch(() => undefined);
      return reading;
    };
    let next = read(0);
    for (let index = 0; next !== undefined; index++) {
      const entries = await next;
      this.#check();
      next = read(index + 1);
      for (let first = 0; first < entries.length; first += CHUNK_ENTRIES) {
        yield entries.slice(first, first + CHUNK_ENTRIES);
        this.#check();
      }
    }
  }

  async apply(mark: StoreMark, changes: Delta): Promise<void> {
    const all = [...this.#check().records.values()];
    await this.#alone(async ({ space, records }) => {
      if (all.every((record) => record.isAt(mark))) return;
      const remains = all.filter((record) => record.mark === undefined && record.hasRemains);
      await forAll(remains, (record) => space.reset(record));
      for (const record of all) if (record.mark === undefined) record.hasRemains = true;
      await forAll(held(all), (record) => space.change(record, mark, undefined, undefined));
      await write(new DeltaWriter(space, (key) => recordOf(records, key), mark), changes);
      await this.#finish(all, mark);
    });
  }

  async load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void> {
    const loaded = this.#recordsOf(groups);
    await this.#alone(async ({ space, records }) => {
      await forAll(loaded, (record) => space.reset(record));
      for (const record of loaded) record.hasRemains = true;
      await write(new DeltaWriter(space, (key) => recordOf(records, key)), putsOf(rows));
      await this.#finish(loaded, mark);
    });
  }

  async drop(groups: KeyGroups): Promise<void> {
    const dropped = this.#recordsOf(groups);
    await this.#alone(async ({ space }) => forAll(dropped, (record) => space.reset(record)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#release();
    await this.#closing;
  }

  async #connect(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const connection = await connect(this.#settings.source, this.#settings.timing);
    try {
      refuseEviction(await readServerFacts(connection.calls));
    } catch (error) {
      connection.release();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  async #begin(step: () => Promise<void>): Promise<void> {
    if (this.#closed) throw closedError();
    if (this.#opening !== undefined || this.#open !== undefined) {
      throw new TypeError("A store is opened once, and one step after the other. Create another one.");
    }
    const stepping = step();
    this.#opening = stepping;
    try {
      await stepping;
    } finally {
      this.#opening = undefined;
    }
  }

  async #release(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await Promise.allSettled([this.#change, ...this.#reads]);
    this.#connection?.release();
  }

  /** Runs `work` after all other changes. */
  async #alone(work: (opened: Opened) => Promise<void>): Promise<void> {
    const opened = this.#check();
    const done = this.#change.then(() => work(opened));
    this.#change = done.catch(() => undefined);
    await done;
  }

  async #finish(records: readonly GroupRecord[], mark: StoreMark): Promise<void> {
    const { space } = this.#open as Opened;
    await forAll(records, async (record) => {
      await space.mark(record, mark);
      record.hasRemains = false;
    });
  }

  async #reading<T>(read: Promise<T>): Promise<T> {
    this.#reads.add(read);
    try {
      return await read;
    } finally {
      this.#reads.delete(read);
    }
  }

  /** Damage is written down, so that the next `open` trusts nothing of the key group. */
  async #watched<T>(record: GroupRecord, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // The damage itself is reported; if it cannot be written down, whoever reads it is told again.
      if (hasCode(error, "CHECKPOINT_CORRUPT")) await this.#open?.space.taint(record).catch(() => undefined);
      throw error;
    }
  }

  #recordsOf(groups: KeyGroups): readonly GroupRecord[] {
    const { records } = this.#check();
    return [...groups].flatMap((group) => records.get(group) ?? []);
  }

  #check(): Opened {
    if (this.#closed || this.#open === undefined) throw closedError();
    return this.#open;
  }
}

async function write(writer: DeltaWriter, changes: Delta): Promise<void> {
  try {
    for await (const chunk of changes) {
      for (const change of chunk) {
        const full = writer.add(change);
        if (full !== undefined) await full;
      }
    }
    await writer.end();
  } finally {
    await writer.settle();
  }
}

async function* putsOf(rows: AsyncIterable<readonly StoreEntry[]>): Delta {
  for await (const chunk of rows) yield chunk.map(({ key, value }) => ({ kind: "put", key, value }) as const);
}

function recordOf(records: ReadonlyMap<number, GroupRecord>, key: BinaryKey): GroupRecord {
  const record = records.get((key.charCodeAt(0) << 8) | key.charCodeAt(1));
  if (record === undefined) throw new RangeError("The key is in none of the key groups of the task.");
  return record;
}

/** The two bytes that keys of `group` begin with; above all keys if there is no such group. */
function groupKey(group: number): BinaryKey {
  return (group > 0xffff ? "\u0100" : String.fromCharCode(group >>> 8, group & 0xff)) as BinaryKey;
}

function held(records: readonly GroupRecord[]): readonly GroupRecord[] {
  return records.filter(({ mark }) => mark !== undefined);
}

function closedError(): Error {
  return new StateBackendError("CLOSED", "The store is not open. Open another handle.");
}
