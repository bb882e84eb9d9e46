/**
 * Changes on their way into a database, in order, in batches that are bounded in entries and bytes.
 *
 * Invariants:
 * - At most one batch is being written while the next one is filled.
 * - A clear comes after everything before it was written, and is done before what follows it is written.
 * - Behind a write that failed nothing is written to that database: half a record may be at the end of its log, and LevelDB would not read on
 *   behind that. As long as it is the end, what is there is what was written before.
 */

import type { BinaryKey, Change } from "@tidemark/core";
import type { LevelBatch, LevelDatabase, TextRange } from "./level-database.js";
import type { LevelSpace } from "./level-space.js";

/** One to two milliseconds of the event loop. */
const BATCH_ENTRIES = 1_000;
const BATCH_BYTES = 1024 * 1024;
/** Of so many changes those that are clears are looked up at once. */
const LOOK_UP_CHANGES = 250;
const CLEARED_KEYS_MAX = 100;

const failures = new WeakMap<LevelDatabase, Error>();

export class BatchWriter {
  readonly #space: LevelSpace;
  #batch: LevelBatch | undefined;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(space: LevelSpace) {
    this.#space = space;
  }

  /** Ascending, as in a delta: nothing that was put before is removed by a clear. */
  async changes(changes: readonly Change[]): Promise<void> {
    for (let first = 0; first < changes.length; first += LOOK_UP_CHANGES) {
      const some = changes.slice(first, first + LOOK_UP_CHANGES);
      const cleared = await this.#keysOfClears(some);
      for (const change of some) {
        const full = change.kind === "clear" ? this.#clear(change.prefix, cleared) : this.#change(change);
        if (full !== undefined) await full;
      }
    }
  }

  #change(change: Exclude<Change, { kind: "clear" }>): Promise<void> | undefined {
    return change.kind === "put" ? this.put(change.key, change.value) : this.#delete(change.key);
  }

  /** Few keys are deleted one by one, with what is written anyway; many by LevelDB. */
  #clear(prefix: BinaryKey, cleared: ReadonlyMap<BinaryKey, readonly BinaryKey[]>): Promise<void> | undefined {
    const keys = cleared.get(prefix) as readonly BinaryKey[];
    if (keys.length > CLEARED_KEYS_MAX) return this.clear(this.#space.rangeOfPrefix(prefix));
    const { entries, options } = this.#space;
    for (const key of keys) this.#open().del(entries.key(key), options);
    return this.#isFull() ? this.#write() : undefined;
  }

  /** Side by side: one after the other they would take most of the time of an apply. */
  async #keysOfClears(changes: readonly Change[]): Promise<ReadonlyMap<BinaryKey, readonly BinaryKey[]>> {
    const prefixes: BinaryKey[] = [];
    for (const change of changes) if (change.kind === "clear") prefixes.push(change.prefix);
    const keys = await Promise.all(
      prefixes.map((prefix) => this.#space.keysIn(this.#space.rangeOfPrefix(prefix), CLEARED_KEYS_MAX + 1)),
    );
    return new Map(prefixes.map((prefix, index) => [prefix, keys[index] as readonly BinaryKey[]]));
  }

  /** A promise only if there is something to wait for. */
  put(key: BinaryKey, value: Uint8Array): Promise<void> | undefined {
    const { entries, options } = this.#space;
    const storedKey = entries.key(key);
    const stored = entries.value(key, value);
    this.#open().put(storedKey, stored, options);
    this.#bytes += storedKey.length + stored.length;
    return this.#isFull() ? this.#write() : undefined;
  }

  #delete(key: BinaryKey): Promise<void> | undefined {
    const { entries, options } = this.#space;
    const stored = entries.key(key);
    this.#open().del(stored, options);
    this.#bytes += stored.length;
    return this.#isFull() ? this.#write() : undefined;
  }

  async clear(range: TextRange): Promise<void> {
    await this.#write();
    await this.#writing;
    await this.#guarded((database) => database.clear(range));
  }

  record(name: string, record: Uint8Array): void {
    const { records, options } = this.#space;
    const key = name as BinaryKey;
    this.#open().put(records.key(key), records.value(key, record), options);
  }

  /** Writes what is left with the record `name`, last and durable. */
  async end(name: string, record: Uint8Array): Promise<void> {
    this.record(name, record);
    await this.#write(true);
    await this.#writing;
  }

  /** Gives up what was not written, and waits for what is being written. */
  async abandon(): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    await Promise.allSettled([batch?.close(), this.#writing]);
  }

  #open(): LevelBatch {
    this.#batch ??= this.#space.database.batch();
    return this.#batch;
  }

  #isFull(): boolean {
    return (this.#batch?.length ?? 0) >= BATCH_ENTRIES || this.#bytes >= BATCH_BYTES;
  }

  async #write(sync = false): Promise<void> {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#bytes = 0;
    try {
      await this.#writing;
    } catch (error) {
      await batch.close();
      throw error;
    }
    this.#writing = this.#guarded(() => batch.write({ sync }));
    // Whoever waits for it next is told.
    this.#writing.catch(() => undefined);
  }

  async #guarded(write: (database: LevelDatabase) => Promise<void>): Promise<void> {
    const { database } = this.#space;
    const failure = failures.get(database);
    if (failure !== undefined) throw failure;
    try {
      await write(database);
    } catch (error) {
      failures.set(database, error as Error);
      throw error;
    }
  }
}
