/**
 * For the command line of the kit: `tidemark-conformance verify packages/redis/test/harness.mjs`, and `--export store`, `cluster` or `clusterStore`, which are
 * on three nodes. The servers are its own.
 */

import { Buffer } from "node:buffer";
import { rmSync } from "node:fs";
import { memoryStorage } from "@tidemark/core";
import { Cluster, Redis } from "ioredis";
import { startRedis, startRedisCluster } from "../../../scripts/services/redis.mjs";
import { redis, redisCheckpoints } from "../dist/index.js";

/** A kind of server: started when it is first needed, ended with the process. */
class Servers {
  #start;
  #clientOf;
  #started;

  constructor(start, clientOf) {
    this.#start = start;
    this.#clientOf = clientOf;
  }

  async ready() {
    this.#started ??= await this.#start();
    return this;
  }

  async stop() {
    for (const node of this.#started ?? []) await node.stop();
  }

  newClient() {
    const client = this.#clientOf(this.#started);
    client.on("error", () => undefined);
    return client;
  }
}

const alone = new Servers(
  async () => removedAtExit([await startRedis({ config: ["--save", "", "--appendonly", "no"] })]),
  ([{ url }]) => new Redis(url),
);
const three = new Servers(
  async () => removedAtExit((await startRedisCluster()).nodes),
  (nodes) => new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port }))),
);

function removedAtExit(nodes) {
  process.once("exit", () => {
    for (const { directory } of nodes) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return nodes;
}

let places = 0;

/** A prefix of its own, and the clients of all handles on it. */
class Place {
  prefix = `place:${++places}:`;
  servers;
  side;
  clients = new Map();
  fault;

  constructor(servers) {
    this.servers = servers;
    this.side = servers.newClient();
  }

  /** A handle with a client of its own, so that it can die alone. */
  open(make) {
    const client = this.servers.newClient();
    const handle = make(this.#failing(client));
    this.clients.set(handle, client);
    // The client is ours, and nobody else has it.
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await close();
      client.disconnect();
    };
    return handle;
  }

  crash(handle) {
    this.clients.get(handle).disconnect();
  }

  end() {
    this.side.disconnect();
    for (const client of this.clients.values()) client.disconnect();
  }

  /** The client, whose `nth` next command the server refuses if that is asked for. */
  #failing(client) {
    return {
      get status() {
        return client.status;
      },
      callBuffer: (command, args) => {
        if (this.fault === undefined || this.fault.left-- !== 0) return client.callBuffer(command, args);
        this.fault.hasStruck = true;
        return Promise.reject(Object.assign(new Error("LOADING the data"), { name: "ReplyError" }));
      },
    };
  }
}

const storeOn = (name, servers) => ({
  contract: "store",
  name,
  takeover: "fences",
  create: async () => new Place(await servers.ready()),
  reopen: (place) =>
    place.open((client) => redis({ client, prefix: place.prefix, checkpoints: memoryStorage() }).store.create()),
  crash: (place, handle) => place.crash(handle),
  destroy: (place) => place.end(),
});

const backendOn = (name, servers) => ({
  contract: "backend",
  name,
  capabilities: { durable: true },
  create: async () => new Place(await servers.ready()),
  reopen: (place) => place.open((client) => redisCheckpoints({ client, prefix: place.prefix })),
  // Without a place of its own: for as long as the command runs.
  backend: () => redis({ client: stateClient(servers), prefix: `state:${++places}:`, checkpoints: memoryStorage() }),
  crash: (place, handle) => place.crash(handle),
  destroy: (place) => place.end(),
  async readBack({ side, prefix }, name) {
    return (await side.getBuffer(`${prefix}{checkpoints}:o:${name}`)) ?? undefined;
  },
  async corrupt({ side, prefix }, name, bytes) {
    const key = `${prefix}{checkpoints}:o:${name}`;
    if (bytes !== undefined) {
      await side.set(key, Buffer.from(bytes));
      return;
    }
    await side.del(key);
    await side.zrem(`${prefix}{checkpoints}:names`, name);
  },
  faults(place, nth) {
    const fault = { left: nth, hasStruck: false };
    place.fault = fault;
    return () => {
      place.fault = undefined;
      return fault.hasStruck;
    };
  },
  advance: () => undefined,
});

const stateClients = new Map();

function stateClient(servers) {
  if (!stateClients.has(servers)) stateClients.set(servers, servers.newClient());
  return stateClients.get(servers);
}

export const store = storeOn("state in Redis", alone);
export const clusterStore = storeOn("state in a Redis cluster of three", three);
export const harness = backendOn("Redis", alone);
export const cluster = backendOn("a Redis cluster of three", three);

/** For tests, which end before their process does. */
export async function stop() {
  for (const client of stateClients.values()) client.disconnect();
  for (const servers of [alone, three]) await servers.stop();
}
