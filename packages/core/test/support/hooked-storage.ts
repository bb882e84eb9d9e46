/** A storage before and after whose puts, and before whose removals, something happens: they wait, or fail. */

import type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  PutOutcome,
  StoredObject,
} from "../../src/contracts/checkpoint-storage.js";

export class HookedStorage implements CheckpointStorage {
  /** Runs before each put. */
  beforePut: (name: string) => Promise<void> = async () => undefined;
  /** Runs when an object is there and its put has not answered yet. */
  afterPut: (name: string) => Promise<void> = async () => undefined;
  /** Runs before each removal. */
  beforeRemove: () => Promise<void> = async () => undefined;
  readonly #inner: CheckpointStorage;

  constructor(inner: CheckpointStorage) {
    this.#inner = inner;
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    await this.beforePut(name);
    const outcome = await this.#inner.put(name, body, options);
    await this.afterPut(name);
    return outcome;
  }

  get(name: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.#inner.get(name, range);
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.beforeRemove();
    return this.#inner.remove(names);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
