/** For the command line of the kit: `tidemark-conformance verify packages/redis/test/harness.mjs`, and `--export store`. */

import { Buffer } from "node:buffer";
import { memoryStorage } from "@tidemark/core";
import { Redis } from "ioredis";
import { startRedis } from "../../../scripts/services/redis.mjs";
import { redis, redisCheckpoints } from "../dist/index.js";

let places = 0;
let starting;

/** A server of our own, from the first place on; it ends with this process. */
async function newPlace() {
  starting ??= startRedis().then((server) => ({ server, client: new Redis(server.url) }));
  const { server, client } = await starting;
  return { url: server.url, client, prefix: `place:${++places}:` };
}

const objectKey = ({ prefix }, name) => `${prefix}{checkpoints}:o:${name}`;
let working;

export const harness = {
  name: "redis",
  contract: "backend",
  inapplicable: {
    faults: "packages/redis/test/faults.test.ts breaks servers and connections",
    crash: "packages/redis/test/faults.test.ts kills servers",
  },
  async create() {
    working = await newPlace();
    return newPlace();
  },
  reopen: ({ client, prefix }) => redisCheckpoints({ client, prefix }),
  backend: () => redis({ client: working.client, prefix: `state:${++places}:`, checkpoints: memoryStorage() }),
  readBack: async (place, name) => (await place.client.getBuffer(objectKey(place, name))) ?? undefined,
  async corrupt(place, name, bytes) {
    if (bytes !== undefined) return void (await place.client.set(objectKey(place, name), Buffer.from(bytes)));
    await place.client.del(objectKey(place, name));
    await place.client.zrem(`${place.prefix}{checkpoints}:names`, name);
  },
  advance: () => {},
};

export const store = {
  name: "redis",
  contract: "store",
  create: newPlace,
  reopen: ({ client, prefix }) => redis({ client, prefix, checkpoints: memoryStorage() }).store.create(),
  // What a process had sent is done by the server, dead or not; no later call comes.
  crash: () => {},
};

/** For tests, which end before their process does. */
export async function stop() {
  if (starting === undefined) return;
  const { server, client } = await starting;
  client.disconnect();
  await server.stop();
}
