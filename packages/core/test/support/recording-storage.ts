/** A storage that keeps a record of what was asked of another one. */

import type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  PutOutcome,
  StoredObject,
} from "../../src/contracts/checkpoint-storage.js";

export interface RecordedGet {
  readonly name: string;
  readonly range: ByteRange | undefined;
}

export class RecordingStorage implements CheckpointStorage {
  readonly gets: RecordedGet[] = [];
  readonly removed: string[] = [];
  readonly #inner: CheckpointStorage;

  constructor(inner: CheckpointStorage) {
    this.#inner = inner;
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    return this.#inner.put(name, body, options);
  }

  get(name: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    this.gets.push({ name, range });
    return this.#inner.get(name, range);
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  remove(names: readonly string[]): Promise<void> {
    this.removed.push(...names);
    return this.#inner.remove(names);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
