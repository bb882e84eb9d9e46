/** What can be set, checked, with what is not set filled in. */

import { quoted } from "@tidemark/core";
import type { PostgresTls } from "./connection-settings.js";
import type { PostgresPool } from "./pg-shapes.js";

interface CommonOptions {
  /**
   * The schema of the tables. Any number of jobs share one.
   * @defaultValue "tidemark"
   */
  readonly schema?: string;
  /**
   * Bytes that what one task has read and written may take in memory besides what is not checkpointed yet.
   * @defaultValue 64 MiB
   */
  readonly cacheBytes?: number;
  /**
   * So long may one statement take, and the wait for a connection, milliseconds.
   * @defaultValue 60,000
   */
  readonly timeoutMs?: number;
  /**
   * Whether missing tables are made when they are first needed. Otherwise, or if the role may not, run `migratePostgres` before.
   * @defaultValue true
   */
  readonly migrate?: boolean;
  /**
   * Is told of settings of the server that make it lose acknowledged changes.
   * @defaultValue a warning of the process
   */
  readonly onWarning?: (message: string) => void;
}

/** Connections of a pool of yours, which you end. */
export interface PostgresPoolOptions extends CommonOptions {
  readonly pool: PostgresPool;
  readonly url?: undefined;
}

/** Connections that are made for this: ended when nothing is open any more. */
export interface PostgresUrlOptions extends CommonOptions {
  /** `postgresql://user:password@host:port/database` */
  readonly url: string;
  readonly pool?: undefined;
  /**
   * How the server is known: its certificate is verified, and its name. `false` sends everything, the password too, in the clear.
   * @defaultValue verified by what Node trusts; `false` for a server on this machine
   */
  readonly tls?: PostgresTls | false;
  /**
   * The most connections at a time.
   * @defaultValue 10
   */
  readonly connectionsMax?: number;
}

export type PostgresOptions = PostgresPoolOptions | PostgresUrlOptions;

export interface PostgresSettings {
  readonly schema: string;
  readonly cacheBytes: number;
  readonly timeoutMs: number;
  readonly connectionsMax: number;
  readonly migrate: boolean;
  readonly onWarning: (message: string) => void;
}

const DEFAULTS: PostgresSettings = Object.freeze({
  schema: "tidemark",
  cacheBytes: 64 * 1024 * 1024,
  timeoutMs: 60_000,
  connectionsMax: 10,
  migrate: true,
  onWarning: (message: string) => process.emitWarning(message, { type: "TidemarkWarning" }),
});

const NAMES: ReadonlySet<string> = new Set(["pool", "url", "tls", ...Object.keys(DEFAULTS)]);

/**
 * @throws {TypeError} for an unknown option, a value of another type, or not exactly one of `pool` and `url`
 * @throws {RangeError} for a number out of range
 */
export function postgresSettings(options: PostgresOptions): PostgresSettings {
  if (typeof options !== "object" || options === null) throw new TypeError("Options are missing. Give pool or url.");
  const unknown = Object.keys(options).find((name) => !NAMES.has(name));
  if (unknown !== undefined) {
    throw new TypeError(`Unknown option. name=${quoted(unknown)} known=${[...NAMES].join(",")}.`);
  }
  checkSource(options);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...DEFAULTS, ...given };
  checkNumber("cacheBytes", settings.cacheBytes, 0, Number.MAX_SAFE_INTEGER);
  checkNumber("timeoutMs", settings.timeoutMs, 10, 3_600_000);
  checkNumber("connectionsMax", settings.connectionsMax, 1, 10_000);
  if (typeof settings.migrate !== "boolean") {
    throw new TypeError(`migrate is no boolean. received=${typeof settings.migrate}.`);
  }
  if (typeof settings.onWarning !== "function") throw new TypeError("onWarning is no function.");
  return settings;
}

function checkSource(options: PostgresOptions): void {
  const { pool, url } = options;
  if ((pool === undefined) === (url === undefined)) throw new TypeError("Give either pool or url, and not both.");
  if (url !== undefined) {
    if (typeof url !== "string") throw new TypeError(`url is no string. received=${typeof url}.`);
    const { tls } = options;
    if (tls !== undefined && tls !== false && (typeof tls !== "object" || tls === null)) {
      throw new TypeError("tls is neither an object nor false. Give {} to verify the server by what Node trusts.");
    }
    return;
  }
  for (const name of ["tls", "connectionsMax"]) {
    if (name in options) throw new TypeError(`${name} belongs to url. Set it in the pool.`);
  }
  if (typeof pool !== "object" || typeof pool?.connect !== "function" || typeof pool.on !== "function") {
    throw new TypeError("pool is no pool of pg. Give a new pg.Pool(…).");
  }
}

function checkNumber(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} is no number. received=${typeof value}.`);
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${name} out of range. received=${value} expected=an integer from ${min} to ${max}.`);
}
