/** The servers that working state can be in: one entry each. */

import { Redis } from "ioredis";
import pg from "pg";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { startRedis } from "../../../scripts/services/redis.mjs";

/** A server while a run uses it. */
export interface Server {
  readonly url: string;
  /** Removes what the run left on a server of the user's, ends one of the run's own. */
  release(): Promise<void>;
}

export interface ServerEntry {
  /** The environment variable that names a server which runs already. */
  readonly variable: string;
  /** How its address begins. */
  readonly protocols: readonly string[];
  /** Starts one that keeps nothing for later. */
  start(): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** Removes everything that is named after `space`. */
  clear(url: string, space: string): Promise<void>;
}

const KEYS_PER_CALL = 1000;

const entries: Readonly<Record<string, ServerEntry>> = {
  redis: {
    variable: "TIDEMARK_REDIS_URL",
    protocols: ["redis:", "rediss:"],
    start: () => startRedis({ config: ["--save", "", "--appendonly", "no"] }),
    clear: clearRedis,
  },
  postgres: {
    variable: "TIDEMARK_POSTGRES_URL",
    protocols: ["postgresql:", "postgres:"],
    start: () => startPostgres(),
    clear: clearPostgres,
  },
};

/** The server that a backend needs, if it needs one. */
export function serverEntry(backend: string): ServerEntry | undefined {
  return Object.hasOwn(entries, backend) ? entries[backend] : undefined;
}

export interface ServerRequest {
  readonly backend: string;
  /** A server that runs already; without it one is started. */
  readonly url: string | undefined;
  /** What everything that the run stores is named after. */
  readonly space: string;
}

/** The server for a run, if its backend needs one. */
export async function acquireServer({ backend, url, space }: ServerRequest): Promise<Server | undefined> {
  const entry = serverEntry(backend);
  if (entry === undefined) return undefined;
  if (url !== undefined) return { url, release: () => entry.clear(url, space) };
  const own = await entry.start();
  return { url: own.url, release: () => own.stop() };
}

async function clearRedis(url: string, space: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  // What fails is the command, which says so.
  client.on("error", () => {});
  try {
    for await (const keys of client.scanStream({ match: `${space}:*`, count: KEYS_PER_CALL })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
    }
  } finally {
    client.disconnect();
  }
}

/** The schema that everything of a run is in. */
export function schemaOf(space: string): string {
  return space.replaceAll("-", "_");
}

async function clearPostgres(url: string, space: string): Promise<void> {
  const client = new pg.Client(url);
  // What fails is the statement, which says so.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(`DROP SCHEMA IF EXISTS "${schemaOf(space)}" CASCADE`);
  } finally {
    await client.end();
  }
}
