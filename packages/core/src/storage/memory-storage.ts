/** Checkpoint storage in the memory of this process: the reference implementation of the contract. */

import type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  PutOutcome,
  StoredObject,
} from "../contracts/checkpoint-storage.js";
import { quoted, StateBackendError } from "../errors.js";
import { checkObjectName } from "./object-name.js";

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
    const bytes = await this.#collect(name, body);
    this.#check(name);
    if (ifAbsent && this.#objects.has(name)) return "exists";
    this.#objects.set(name, bytes);
    return "created";
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
    if (end > bytes.length) {
      throw new StateBackendError(
        "CHECKPOINT_CORRUPT",
        `An object is shorter than expected. name=${quoted(name)} bytes=${bytes.length} wanted=${end}. Restore another checkpoint.`,
      );
    }
    yield bytes.slice(start, end);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    this.#checkOpen();
    const found = [...this.#objects].filter(([name]) => name.startsWith(prefix));
    for (const [name, { length: bytes }] of found) yield { name, bytes };
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) this.#check(name);
    for (const name of names) this.#objects.delete(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #collect(name: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
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
    checkObjectName(name);
    this.#checkOpen();
  }

  #checkOpen(): void {
    if (this.#closed) throw new StateBackendError("CLOSED", "The storage is closed. Open another one.");
  }
}
