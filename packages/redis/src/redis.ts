/** The backend whose working state is in Redis. */

import type { Backend, CheckpointStorage, StoreProvider } from "@tidemark/core";
import { commonSettings, type RedisCommonOptions } from "./options.js";
import { RedisStore } from "./redis-store.js";

export interface RedisOptions extends RedisCommonOptions {
  /** Where checkpoints go: a directory is the best place. */
  readonly checkpoints: CheckpointStorage;
  /** Bytes that what one task has read and written may take in memory besides what is not checkpointed yet. @defaultValue 32 MiB */
  readonly cacheBytes?: number;
  /** Is told why working state that was stored does not count and is rebuilt. */
  readonly onRebuild?: (reason: string) => void;
}

/** A backend that surely has stores. */
export interface RedisBackend extends Backend<false> {
  readonly store: StoreProvider;
}

const CACHE_BYTES = 32 * 1024 * 1024;

/**
 * Working state in Redis, for tasks whose state has no room in memory or is to be there again quickly on another machine.
 * @throws {TypeError} for an unknown option, or not exactly one of `client` and `url`
 * @throws {RangeError} for a size or time out of range
 */
export function redis(options: RedisOptions): RedisBackend {
  const settings = commonSettings(options, ["checkpoints", "cacheBytes", "onRebuild"]);
  const { checkpoints, cacheBytes = CACHE_BYTES, onRebuild } = options;
  if (typeof checkpoints?.put !== "function") {
    throw new TypeError("There is no place for checkpoints. expected=checkpoints.");
  }
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) {
    throw new RangeError(`The size is out of range. cacheBytes=${String(cacheBytes)} expected=0 or more.`);
  }
  const store = Object.freeze({ cacheBytes, create: () => new RedisStore(settings, onRebuild) });
  return Object.freeze({ name: "redis", sync: false, checkpoints, store });
}
