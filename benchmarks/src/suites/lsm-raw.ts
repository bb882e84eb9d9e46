/**
 * The floor of `lsm`: a bare `ClassicLevel` that has the same memory, and does the same work as well as it can. Reads are `getSync` or
 * `getMany`, writes are chained batches of 1,000, and while one batch is written the next one is filled. It promises nothing: not a sync.
 */

import { ClassicLevel } from "classic-level";
import { BATCH, checkCounts, countIn, valueWith, type Work } from "./lsm-work.js";

const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

type Database = ClassicLevel<string, string>;

export async function openRaw(directory: string, budgetBytes: number): Promise<Database> {
  const cacheSize = budgetBytes - 2 * WRITE_BUFFER_BYTES;
  const options = { cacheSize, writeBufferSize: WRITE_BUFFER_BYTES, maxFileSize: 2 * WRITE_BUFFER_BYTES };
  const database = new ClassicLevel<string, string>(directory, options);
  await database.open();
  return database;
}

/** Puts all keys in order. Resolves to milliseconds. */
export async function loadRaw(database: Database, keys: readonly string[]): Promise<number> {
  const sorted = keys.toSorted();
  const started = performance.now();
  const writes = new Writes(database);
  for (let first = 0; first < sorted.length; first += BATCH) {
    for (const key of sorted.slice(first, first + BATCH)) writes.put(key, valueWith(0));
    await writes.flush();
  }
  await writes.end();
  return performance.now() - started;
}

/** Reads, changes and writes, one key after the other. Resolves to milliseconds. */
export async function changeRaw(database: Database, work: Work): Promise<number> {
  const { keys, picks } = work;
  const writes = new Writes(database);
  const started = performance.now();
  for (let first = 0; first < picks.length; first += BATCH) {
    const until = Math.min(picks.length, first + BATCH);
    for (let at = first; at < until; at++) {
      const key = keys[picks[at] as number] as string;
      const value = writes.pending(key) ?? database.getSync(key) ?? "";
      writes.put(key, valueWith(countIn(value) + 1));
    }
    await writes.flush();
  }
  await writes.end();
  const elapsedMs = performance.now() - started;
  checkCounts(work, (key) => database.getSync(key));
  return elapsedMs;
}

/** The same with 1,000 keys at once. */
export async function changeManyRaw(database: Database, work: Work): Promise<number> {
  const { keys, picks } = work;
  const writes = new Writes(database);
  const started = performance.now();
  for (let first = 0; first < picks.length; first += BATCH) {
    const some = Array.from(picks.subarray(first, first + BATCH), (pick) => keys[pick] as string);
    const values = await database.getMany(some);
    for (const [index, key] of some.entries()) {
      const value = writes.pending(key) ?? values[index] ?? "";
      writes.put(key, valueWith(countIn(value) + 1));
    }
    await writes.flush();
  }
  await writes.end();
  const elapsedMs = performance.now() - started;
  checkCounts(work, (key) => database.getSync(key));
  return elapsedMs;
}

/** All rows in order, or their keys alone. Resolves to milliseconds. */
export async function listRaw(database: Database, expected: number, what: "rows" | "keys"): Promise<number> {
  const started = performance.now();
  const options = { highWaterMarkBytes: 1024 * 1024 };
  const iterator = what === "keys" ? database.keys(options) : database.iterator(options);
  let count = 0;
  for (let rows = await iterator.nextv(BATCH); rows.length > 0; rows = await iterator.nextv(BATCH)) {
    for (const row of rows) if (row[0] !== "") count++;
  }
  await iterator.close();
  const elapsedMs = performance.now() - started;
  if (count !== expected) throw new Error(`Keys are missing. found=${count} expected=${expected}`);
  return elapsedMs;
}

/** Batches of which one is filled while another is written. */
class Writes {
  readonly #database: Database;
  #filled = new Map<string, string>();
  #written = new Map<string, string>();
  #batch: ReturnType<Database["batch"]>;
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
    this.#batch = database.batch();
  }

  /** What is not in the database yet, or perhaps not. */
  pending(key: string): string | undefined {
    return this.#filled.get(key) ?? this.#written.get(key);
  }

  put(key: string, value: string): void {
    this.#filled.set(key, value);
    this.#batch.put(key, value);
  }

  async flush(): Promise<void> {
    await this.#writing;
    this.#writing = this.#batch.write();
    this.#batch = this.#database.batch();
    this.#written = this.#filled;
    this.#filled = new Map();
  }

  async end(): Promise<void> {
    await this.flush();
    await this.#writing;
    await this.#batch.close();
  }
}
