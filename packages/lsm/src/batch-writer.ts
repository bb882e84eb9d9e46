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
import { sealed } from "./envelope.js";
import type { BytesRange, LevelBatch, LevelDatabase } from "./level-database.js";
import type { LevelSpace } from "./level-space.js";

/** One to two milliseconds of the event loop. */
const BATCH_ENTRIES = 1_000;
const BATCH_BYTES = 1024 * 1024;

const failures = new WeakMap<LevelDatabase, Error>();

export class BatchWriter {
  readonly #space: LevelSpace;
  #batch: LevelBatch | undefined;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(space: LevelSpace) {
    this.#space = space;
  }

  /** A promise only if there is something to wait for, as with all that follow. */
  change(change: Change): Promise<void> | undefined {
    if (change.kind === "put") return this.put(change.key, change.value);
    if (change.kind === "delete") return this.delete(change.key);
    return this.clear(this.#space.rangeOfPrefix(change.prefix));
  }

  put(key: BinaryKey, value: Uint8Array): Promise<void> | undefined {
    const stored = this.#space.keyOf(key);
    this.#open().put(stored, sealed(stored, value), this.#space.options);
    this.#bytes += stored.length + value.length;
    return this.#isFull() ? this.#write() : undefined;
  }

  delete(key: BinaryKey): Promise<void> | undefined {
    const stored = this.#space.keyOf(key);
    this.#open().del(stored, this.#space.options);
    this.#bytes += stored.length;
    return this.#isFull() ? this.#write() : undefined;
  }

  async clear(range: BytesRange): Promise<void> {
    await this.#write();
    await this.#writing;
    await this.#guarded((database) => database.clear(range));
  }

  record(name: string, record: Uint8Array): void {
    const key = this.#space.metaKey(name);
    this.#open().put(key, sealed(key, record), this.#space.options);
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
    await this.#writing;
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
