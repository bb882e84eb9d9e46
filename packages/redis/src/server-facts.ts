/** What a server says of how it keeps what it is given. */

import { hasCode, quoted, StateBackendError } from "@tidemark/core";
import type { Calls } from "./calls.js";
import { textOf } from "./reply-text.js";

/**
 * What an acknowledged write outlives: nothing but the client (`none`), the death of the server process (`process`), the loss of power of its machine
 * (`host`); `unknown` if the server does not say.
 */
export type DurabilityClass = "none" | "process" | "host" | "unknown";

export interface ServerFacts {
  readonly durability: DurabilityClass;
  /** For people. */
  readonly version: string;
  readonly evictionPolicy: string;
  readonly replicas: number;
}

/** Reads them; what the user of the client may not ask is `unknown`. */
export async function readServerFacts(calls: Calls): Promise<ServerFacts> {
  const info = await tryRead(async () => infoFields(textOf(await calls.read("info"))));
  const fsync = await tryRead(async () => (await calls.read("config", "get", "appendfsync")) as Buffer[]);
  return {
    durability: durabilityOf(info?.get("aof_enabled"), fsync === undefined ? undefined : textOf(fsync[1])),
    version: info?.get("redis_version") ?? "unknown",
    evictionPolicy: info?.get("maxmemory_policy") ?? "unknown",
    replicas: Number(info?.get("connected_slaves") ?? 0),
  };
}

/**
 * Refuses a server that removes what it was given when it needs room.
 * @throws {StateBackendError} UNAVAILABLE
 */
export function refuseEviction({ evictionPolicy }: ServerFacts): void {
  // The keys here have no time to live: policies for those that have one do not touch them.
  if (!evictionPolicy.startsWith("allkeys-")) return;
  throw new StateBackendError(
    "UNAVAILABLE",
    `This Redis removes keys when it needs room. maxmemory-policy=${quoted(evictionPolicy)} expected=noeviction. ` +
      "Set the policy to noeviction, or use another server: a cache is no place for state.",
  );
}

function durabilityOf(aof: string | undefined, fsync: string | undefined): DurabilityClass {
  if (aof === undefined) return "unknown";
  if (aof !== "1") return "none";
  return fsync === "always" ? "host" : "process";
}

async function tryRead<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, "UNAVAILABLE") && /code=(NOPERM|ERR)\b/.test((error as Error).message)) return undefined;
    throw error;
  }
}

function infoFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  return fields;
}
