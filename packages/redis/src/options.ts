/** Options of the backend and of the storage, checked once. */

import { type Clock, systemClock } from "@tidemark/core";
import type { Source, Timing } from "./connection.js";
import type { RedisClient } from "./redis-client.js";

/** What every part of this package wants to know. */
export interface RedisCommonOptions {
  /** A client of `ioredis`, `Redis` or `Cluster`, which stays yours: it is not closed. Either this or `url`. */
  readonly client?: RedisClient;
  /** `redis://` or `rediss://` (TLS). Each task makes a client of its own, and closes it. Either this or `client`. */
  readonly url?: string;
  /** What all keys begin with: letters, digits and `:_.-`, at most 100. @defaultValue `tidemark:` */
  readonly prefix?: string;
  /** After so long without an answer a call fails with UNAVAILABLE, milliseconds. @defaultValue 10,000 */
  readonly timeoutMs?: number;
  /** @defaultValue the system's */
  readonly clock?: Clock;
}

export interface CommonSettings {
  readonly source: Source;
  readonly prefix: string;
  readonly timing: Timing;
}

const DEFAULTS = Object.freeze({ prefix: "tidemark:", timeoutMs: 10_000 });
const TIMEOUT_MS_MAX = 600_000;
const COMMON_NAMES = ["client", "url", "prefix", "timeoutMs", "clock"];

/**
 * @param names further options that are allowed
 * @throws {TypeError} for an unknown option, or one of the wrong kind. No message has the URL in it.
 * @throws {RangeError} for a time out of range
 */
export function commonSettings(options: RedisCommonOptions, names: readonly string[] = []): CommonSettings {
  if (typeof options !== "object" || options === null) throw new TypeError("Options are missing. expected=object.");
  for (const name of Object.keys(options)) {
    if (!COMMON_NAMES.includes(name) && !names.includes(name)) {
      throw new TypeError(
        `There is no such option. name=${JSON.stringify(name)} expected=${[...COMMON_NAMES, ...names].join()}.`,
      );
    }
  }
  const { prefix = DEFAULTS.prefix, timeoutMs = DEFAULTS.timeoutMs, clock = systemClock } = options;
  if (typeof prefix !== "string" || !/^[A-Za-z0-9:_.-]{0,100}$/.test(prefix)) {
    throw new TypeError(
      "The prefix is no text of at most 100 letters, digits and :_.- characters. Choose another one.",
    );
  }
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > TIMEOUT_MS_MAX) {
    throw new RangeError(`The time is out of range. timeoutMs=${String(timeoutMs)} expected=1..${TIMEOUT_MS_MAX}.`);
  }
  return { source: sourceOf(options), prefix, timing: { clock, timeoutMs } };
}

function sourceOf({ client, url }: RedisCommonOptions): Source {
  if ((client === undefined) === (url === undefined)) throw new TypeError("Give either a client or a url.");
  if (client !== undefined) {
    if (typeof client?.callBuffer === "function") return { client };
    throw new TypeError("The client is none of ioredis. expected=Redis or Cluster of ioredis 5.10 or later.");
  }
  if (!isRedisUrl(url)) {
    throw new TypeError("The url is none of Redis. expected=redis://host:port or rediss://host:port.");
  }
  return { url };
}

function isRedisUrl(url: unknown): url is string {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  return ["redis:", "rediss:"].includes(new URL(url).protocol);
}
