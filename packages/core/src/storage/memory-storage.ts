/** Checkpoint storage in the memory of this process: the reference implementation of the contract. */

import type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  PutOutcome,
  StoredObject,
} from "../contracts/checkpoint-storage.js";
import { quoted, StateBackendError } from "../errors.js";
import { partsOfObjectName, partsOfObjectPrefix } from "./object-name.js";

/** Settings of a storage in memory. */
export interface MemoryStorageOptions {
  /**
   * The most bytes that one object may have.
   * @defaultValue unlimited
   */
  readonly objectBytesMax?: number;
}

/** A storage that lives as long as the object returned, and no longer. */
export function memoryStorage({
  objectBytesMax = Number.POSITIVE_INFINITY,
}: MemoryStorageOptions = {}): CheckpointStorage {
  if (!(objectBytesMax > 0)) {
    throw new RangeError(`objectBytesMax out of range. received=${objectBytesMax} expected=a number > 0.`);
  }
  return new MemoryStorage(objectBytesMax);
}

class MemoryStorage implements CheckpointStorage {
  readonly #objects = new Map<string, Uint8Array>();
  readonly #objectBytesMax: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(objectBytesMax: number) {
    this.#objectBytesMax = objectBytesMax;
  }

  async put(
    name: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { ifAbsent }: PutOptions = { ifAbsent: false },
  ): Promise<PutOutcome> {
    this.#check(name);
    const collecting = this.#collect(name, body);
    this.#underWay.add(collecting);
    try {
      return this.#store(name, await collecting, ifAbsent);
    } finally {
      this.#underWay.delete(collecting);
    }
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    this.#check(name);
    const bytes = this.#objects.get(name);
    if (bytes === undefined) {
      throw new StateBackendError(
        "CHECKPOINT_NOT_FOUND",
        `No such object. name=${quoted(name)}. Check the name, or restore another checkpoint.`,
      );
    }
    const { start, end } = range ?? { start: 0, end: bytes.length };
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end)) {
      throw new RangeError(`Byte range refused. start=${start} end=${end}. Use integers, 0 <= start <= end.`);
    }
    if (end > bytes.length) {
      throw new StateBackendError(
        "CHECKPOINT_CORRUPT",
        `An object is shorter than expected. name=${quoted(name)} bytes=${bytes.length} wanted=${end}. Restore another checkpoint.`,
      );
    }
    yield Uint8Array.from(bytes.subarray(start, end));
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    this.#checkOpen();
    partsOfObjectPrefix(prefix);
    const found = [...this.#objects].filter(([name]) => name.startsWith(prefix));
    for (const [name, { length: bytes }] of found) yield { name, bytes };
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) this.#check(name);
    for (const name of names) this.#objects.delete(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  #store(name: string, bytes: Uint8Array, ifAbsent: boolean): PutOutcome {
    const stored = this.#objects.get(name);
    if (stored === undefined) {
      this.#checkContinuesNone(name);
      this.#objects.set(name, bytes);
      return "created";
    }
    if (ifAbsent) return "exists";
    if (Buffer.compare(stored, bytes) === 0) return "created";
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `There is an object of other content under this name, and it was not touched. name=${quoted(name)}. Find out who wrote it: names are used once.`,
    );
  }

  /** @throws {RangeError} if `name` continues the name of an object, or one continues it */
  #checkContinuesNone(name: string): void {
    for (const other of this.#objects.keys()) {
      if (other.startsWith(`${name}/`) || name.startsWith(`${other}/`)) {
        throw new RangeError(
          `Object name refused. name=${quoted(name)} stored=${quoted(other)}. No name may continue another.`,
        );
      }
    }
  }

  async #collect(name: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      if (!(chunk instanceof Uint8Array)) {
        throw new TypeError(`A body consists of Uint8Arrays. name=${quoted(name)} received=${typeof chunk}.`);
      }
      bytes += chunk.length;
      if (bytes > this.#objectBytesMax) {
        throw new StateBackendError(
          "LIMIT_EXCEEDED",
          `An object is larger than this storage may hold. name=${quoted(name)} limit=${this.#objectBytesMax}. Raise the limit, or keep checkpoints in a directory.`,
        );
      }
      chunks.push(Uint8Array.from(chunk));
    }
    return Buffer.concat(chunks, bytes);
  }

  #check(name: string): void {
    partsOfObjectName(name);
    this.#checkOpen();
  }

  #checkOpen(): void {
    if (this.#closed) throw new StateBackendError("CLOSED", "The storage is closed. Open another one.");
  }
}
