/** A cluster of three nodes: the laws hold, key groups spread evenly, and slots may be moved meanwhile. */

import { checkStoreLaw, STORE_LAWS } from "@tidemark/conformance";
import { type CheckpointStorage, memoryStorage, type Store } from "@tidemark/core";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5 } from "ioredis-5";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command, type RedisCluster, type RedisServer, startRedisCluster } from "./support/servers.js";
import { redis, redisCheckpoints, type RedisClient } from "../src/index.js";
import { groupKeys } from "../src/group-key.js";
import { slotOf, SLOTS, tagOfSlot } from "../src/slots.js";
import { contentOf, deltaOf, fenceOf, markOf, SCOPE, stateAt } from "./support/history.js";

let cluster: RedisCluster;
let prefixes = 0;

beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

function startupNodes(): { readonly host: string; readonly port: number }[] {
  return cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
}

describe.each([
  { what: "ioredis 6", make: () => new Cluster(startupNodes()) },
  { what: "ioredis 5", make: () => new Cluster5(startupNodes()) },
])("$what", ({ make }) => {
  it.each(STORE_LAWS)("$id $title", async (law) => {
    const client: RedisClient & { disconnect(): void } = make();
    const { store } = redis({ client, prefix: `laws${++prefixes}:`, checkpoints: memoryStorage() });
    const stores: Store[] = [];
    await checkStoreLaw(law, async () => ({
      takeover: "fences",
      create() {
        const created = store.create();
        stores.push(created);
        return created;
      },
      crash: async () => undefined,
      async dispose() {
        for (const each of stores) await each.close();
        client.disconnect();
      },
    }));
  });

  it("S3, S4, S5 slots that are moved meanwhile change nothing", { timeout: 60_000 }, async () => {
    const client: RedisClient & { disconnect(): void } = make();
    const prefix = `moving${++prefixes}:`;
    const store = redis({ client, prefix, checkpoints: memoryStorage() }).store.create();
    // Nobody else has keys in its slots: a node does not give away a slot that still has some.
    const scope = { ...SCOPE, job: prefix };
    await store.open(scope, fenceOf(1));
    await store.apply(markOf(1), deltaOf(1));
    const keyOf = groupKeys(prefix, scope);
    let id = 1;
    for (const group of [0, 3, 6]) {
      await moveSlot(keyOf(group), async (stage) => {
        id += 1;
        await store.apply(markOf(id), deltaOf(id));
        expect(await contentOf(store), stage).toEqual(stateAt(id));
      });
    }
    await store.close();
    client.disconnect();
  });
});

describe("a cluster that does not serve", () => {
  it("S3, S6 is UNAVAILABLE while a node is away, and its state is exact when it is back", {
    timeout: 60_000,
  }, async () => {
    const client = new Cluster(startupNodes());
    const plain = redis({ url: (cluster.nodes[0] as RedisServer).url, checkpoints: memoryStorage() }).store.create();
    const prefix = `away${++prefixes}:`;
    const store = redis({ client, prefix, timeoutMs: 2_000, checkpoints: memoryStorage() }).store.create();
    try {
      await store.open(SCOPE, fenceOf(1));
      await store.apply(markOf(1), deltaOf(1));
      const [first, , away] = cluster.nodes as [RedisServer, RedisServer, RedisServer];
      away.pause();
      await expect
        .poll(() => command(first.port, "CLUSTER", "INFO"), { timeout: 20_000 })
        .toContain("cluster_state:fail");
      // The server says so to those who ask it; a client of a cluster waits instead, as long as it may.
      await expect(plain.open(SCOPE, fenceOf(1))).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining("code=CLUSTERDOWN") as unknown,
      });
      await expect(contentOf(store)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      away.resume();
      await allServe();
      await expect
        .poll(() => store.apply(markOf(2), deltaOf(2)).then(() => "done", String), { timeout: 20_000 })
        .toBe("done");
      expect(await contentOf(store)).toEqual(stateAt(2));
    } finally {
      for (const node of cluster.nodes) node.resume();
      await allServe();
      await store.close();
      await plain.close();
      client.disconnect();
    }
  });

  it("S1 a client of one node is told to be one of the cluster", async () => {
    const client = new Redis((cluster.nodes[0] as RedisServer).url);
    const store = redis({ client, checkpoints: memoryStorage() }).store.create();
    const message = expect.stringMatching(/code=MOVED\..*Use a Cluster client/) as unknown;
    await expect(store.open(SCOPE, fenceOf(1))).rejects.toMatchObject({ code: "UNAVAILABLE", message });
    await store.close();
    client.disconnect();
  });

  it("CS2 half a slot is TRYAGAIN for checkpoints, and all of it is as before", { timeout: 60_000 }, async () => {
    const client = new Cluster(startupNodes());
    const prefix = `half${++prefixes}:`;
    const storage = redisCheckpoints({ client, prefix });
    const names = `${prefix}{checkpoints}:names`;
    try {
      await storage.put("a", Buffer.from("first"));
      const moving = await beginMove(names);
      await migrate(moving, [names]);
      // Where the machine is so busy that nodes take each other for gone, it is CLUSTERDOWN for a moment.
      await expect
        .poll(() => storage.put("b", Buffer.from("second")).catch(String), { timeout: 20_000 })
        .toMatch(/code=(TRYAGAIN|ASK)\./);
      await migrate(moving, [`${prefix}{checkpoints}:o:a`]);
      await endMove(moving);
      expect(await storage.put("b", Buffer.from("second"))).toBe("created");
      expect(await read(storage, "a")).toBe("first");
      expect(await read(storage, "b")).toBe("second");
    } finally {
      await storage.close();
      client.disconnect();
    }
  });
});

describe("slots", () => {
  it("S1 each has a tag, and the slot of a text is that of Redis", async () => {
    for (let slot = 0; slot < SLOTS; slot++) expect(slotOf(tagOfSlot(slot))).toBe(slot);
    const port = (cluster.nodes[0] as { port: number }).port;
    for (const text of ["123456789", "a", "tag0z"]) {
      expect(await command(port, "CLUSTER", "KEYSLOT", text)).toBe(`:${slotOf(text)}\r\n`);
    }
  });

  it("S1 key groups spread evenly over them, whatever the job is called", () => {
    for (const job of ["a", "b", "{x}", "\ud800"]) {
      const keyOf = groupKeys("p:", { job, operator: "o", maxParallelism: 128 });
      const nodes = [0, 0, 0];
      for (let group = 0; group < 128; group++) {
        const [, tag] = /^p:\{([0-9a-z]+)\}:s:[0-9a-f]{32}:\d+$/.exec(keyOf(group)) as RegExpExecArray;
        nodes[Math.floor((slotOf(tag as string) * 3) / SLOTS)]! += 1;
      }
      for (const count of nodes) expect(Math.abs(count - 128 / 3)).toBeLessThan(2);
    }
  });
});

async function allServe(): Promise<void> {
  for (const { port } of cluster.nodes) {
    await expect.poll(() => command(port, "CLUSTER", "INFO"), { timeout: 20_000 }).toContain("cluster_state:ok");
  }
}

interface Move {
  readonly slot: string;
  readonly from: RedisServer;
  readonly to: RedisServer;
}

/** Moves the slot of a key to the next node, and calls `meanwhile` at each stage. */
async function moveSlot(key: string, meanwhile: (stage: string) => Promise<void>): Promise<void> {
  const move = await beginMove(key);
  await meanwhile("before the key is moved");
  await migrate(move, [key]);
  await meanwhile("behind the key's move");
  await endMove(move);
  await meanwhile("behind the slot's move");
}

async function beginMove(key: string): Promise<Move> {
  const { nodes } = cluster;
  const slot = `${slotOf((/\{(.*)\}/.exec(key) as RegExpExecArray)[1] as string)}`;
  const owner = await ownerOf(key);
  const [from, to] = [nodes[owner], nodes[(owner + 1) % nodes.length]] as [RedisServer, RedisServer];
  await command(to.port, "CLUSTER", "SETSLOT", slot, "IMPORTING", await idOf(from));
  await command(from.port, "CLUSTER", "SETSLOT", slot, "MIGRATING", await idOf(to));
  return { slot, from, to };
}

async function migrate({ from, to }: Move, keys: readonly string[]): Promise<void> {
  for (const key of keys) await command(from.port, "MIGRATE", "127.0.0.1", `${to.port}`, key, "0", "5000");
}

async function endMove({ slot, from, to }: Move): Promise<void> {
  const toId = await idOf(to);
  for (const node of [to, from]) await command(node.port, "CLUSTER", "SETSLOT", slot, "NODE", toId);
}

async function read(storage: CheckpointStorage, name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of storage.get(name)) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function idOf({ port }: { readonly port: number }): Promise<string> {
  const reply = await command(port, "CLUSTER", "MYID");
  return reply.split("\r\n")[1] as string;
}

async function ownerOf(key: string): Promise<number> {
  for (const [index, { port }] of cluster.nodes.entries()) {
    const reply = await command(port, "EXISTS", key).catch(() => "");
    if (reply.startsWith(":1")) return index;
  }
  throw new Error(`No node has the key. key=${key}`);
}
