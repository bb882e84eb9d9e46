/** A storage that is still being opened: the properties of whole jobs open handles without waiting. */

import type { ByteRange, CheckpointStorage, PutOptions, PutOutcome, StoredObject } from "@tidemark/core";

/** A storage whose calls wait for `opening`, which is begun at once and whose failure is every call's. */
export function lazyStorage(opening: Promise<CheckpointStorage>): CheckpointStorage {
  // Whoever calls is told; who never calls has nothing to be told of.
  opening.catch(() => {});
  return {
    async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
      return (await opening).put(name, body, options);
    },
    async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
      yield* (await opening).get(name, range);
    },
    async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
      yield* (await opening).list(prefix);
    },
    async remove(names: readonly string[]): Promise<void> {
      await (await opening).remove(names);
    },
    async close(): Promise<void> {
      await (await opening).close();
    },
  };
}
