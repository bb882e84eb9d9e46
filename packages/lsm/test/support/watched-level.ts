/** A database that tells of each call that writes, and lets it be refused. */

import type { ClassicLevel } from "classic-level";
import type { LevelBatch, LevelDatabase } from "../../src/level-database.js";

/** A call that writes. */
export type WritingCall =
  | { readonly kind: "write"; readonly entries: number; readonly bytes: number; readonly sync: boolean }
  | { readonly kind: "clear" };

/** `around` is called for each, and makes it by calling `call`. */
export function watchedLevel(
  database: ClassicLevel<Buffer, Buffer>,
  around: (what: WritingCall, call: () => Promise<void>) => Promise<void>,
): LevelDatabase {
  const inner: LevelDatabase = database;
  return {
    status: "open",
    supports: inner.supports,
    open: () => inner.open(),
    getMany: (keys, options) => inner.getMany(keys, options),
    getSync: (key, options) => inner.getSync(key, options),
    keys: (range) => inner.keys(range),
    iterator: (range) => inner.iterator(range),
    clear: (range) => around({ kind: "clear" }, () => inner.clear(range)),
    batch: () => watchedBatch(inner.batch(), around),
  };
}

function watchedBatch(batch: LevelBatch, around: Parameters<typeof watchedLevel>[1]): LevelBatch {
  let bytes = 0;
  return {
    get length() {
      return batch.length;
    },
    put(key, value, options) {
      bytes += key.length + value.length;
      return batch.put(key, value, options);
    },
    del(key, options) {
      bytes += key.length;
      return batch.del(key, options);
    },
    write: (options) =>
      around({ kind: "write", entries: batch.length, bytes, sync: options.sync }, () => batch.write(options)),
    close: () => batch.close(),
  };
}
