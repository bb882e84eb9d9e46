/** Clients: the user's own, or made of a URL. */

import type { Clock } from "@tidemark/core";
import { Calls } from "./calls.js";
import type { OwnRedisClient, RedisClient } from "./redis-client.js";
import { asRedisError } from "./redis-error.js";

/** Where the server is. */
export type Source =
  | { readonly client: RedisClient; readonly url?: undefined }
  | { readonly url: string; readonly client?: undefined };

/** A way to a server, and how to give it back. */
export interface Connection {
  readonly calls: Calls;
  release(): void;
}

/** What a connection takes its time from. */
export interface Timing {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export async function connect(source: Source, { clock, timeoutMs }: Timing): Promise<Connection> {
  if (source.client !== undefined) {
    return { calls: new Calls(source.client, clock, timeoutMs), release: () => undefined };
  }
  const client = await clientOf(source.url, timeoutMs);
  return { calls: new Calls(client, clock, timeoutMs), release: () => client.disconnect() };
}

async function clientOf(url: string, connectTimeout: number): Promise<OwnRedisClient> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout,
    // What is under way when a connection breaks is reported, and not sent again behind our back.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 50, 1_000),
  });
  // Calls report what goes wrong; without this the client prints it.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw asRedisError(error, "connect", false);
  }
  return client;
}
