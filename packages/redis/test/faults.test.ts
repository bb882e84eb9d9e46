/** What can happen to a server and to the way there: the state is exact, or the error says what is known. */

import { memoryStorage, type Store } from "@tidemark/core";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command, type RedisServer, startRedis } from "./support/servers.js";
import { redis, redisCheckpoints, type RedisOptions } from "../src/index.js";
import { CuttingProxy } from "./support/cutting-proxy.js";
import { contentOf, deltaOf, fenceOf, GROUPS, keyOf, markOf, SCOPE, stateAt } from "./support/history.js";

const PERSISTENT = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"];

let server: RedisServer;
let stores: Store[];
let epochs: number;

beforeEach(async () => {
  server = await startRedis({ config: PERSISTENT });
  stores = [];
  epochs = 0;
});

afterEach(async () => {
  server.resume();
  for (const store of stores) await store.close();
  await server.stop();
});

function create(options: Partial<RedisOptions> = {}): Store {
  const source = options.client === undefined ? { url: server.url } : {};
  const { store } = redis({ ...source, timeoutMs: 2_000, checkpoints: memoryStorage(), ...options });
  const created = store.create();
  stores.push(created);
  return created;
}

/** A store at checkpoint `id`. */
async function storeAt(id: number, options?: Partial<RedisOptions>): Promise<Store> {
  const store = create(options);
  await store.open(SCOPE, fenceOf(++epochs));
  for (let each = 1; each <= id; each++) await store.apply(markOf(each), deltaOf(each));
  return store;
}

/** What a new owner finds, made whole as core does it: the checkpoint at which the state then is, exactly. */
async function exactAfter(): Promise<number> {
  const store = create();
  const applied = await store.open(SCOPE, fenceOf(++epochs));
  const groups = applied.flatMap(({ groups: { first, last } }) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  expect(groups).toEqual([...GROUPS]);
  const ids = applied.map(({ mark }) => mark.checkpoint);
  const last = Math.max(...ids, ...applied.map(({ applying }) => applying?.checkpoint ?? 0));
  expect(Math.min(...ids)).toBeGreaterThanOrEqual(last - 1);
  if (applied.length > 1 || applied[0]?.applying !== undefined) await store.apply(markOf(last), deltaOf(last));
  expect(await contentOf(store)).toEqual(stateAt(last));
  return last;
}

function aofPath(): string {
  const folder = join(server.directory, "appendonlydir");
  return join(folder, readdirSync(folder).find((name) => name.includes(".incr.")) as string);
}

async function clientOf<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

async function ourKeys(client: Redis): Promise<string[]> {
  return (await client.keys("tidemark:*")).sort();
}

describe("a server that ends", () => {
  it("S5 has everything again with an append-only file", async () => {
    const store = await storeAt(3);
    await server.kill();
    await server.start();
    expect(await exactAfter()).toBe(3);
    await expect(store.getMany([keyOf(0)])).rejects.toMatchObject({ code: "FENCED" });
  });

  it("S3, S6 without persistence is never an empty state: the owner is told, a new one is given nothing", async () => {
    const store = await storeAt(2);
    await server.kill();
    await server.start(["--save", "", "--appendonly", "no"]);
    await expect(store.getMany([keyOf(0)])).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await expect(contentOf(store)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await expect(store.apply(markOf(3), deltaOf(3))).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    const next = create();
    expect(await next.open(SCOPE, fenceOf(9))).toEqual([]);
  });

  it("S3, S6 with a lost tail of its file tells the owner, and a new one has an earlier state", async () => {
    const store = await storeAt(2);
    const { length } = readFileSync(aofPath());
    await store.apply(markOf(3), deltaOf(3));
    const written = readFileSync(aofPath());
    // One byte, the last marks, some changes, all of the last apply.
    const cuts = [written.length - 1, written.length - 700, (length + written.length) >> 1, length + 5_000, length];
    const found: number[] = [];
    for (const at of cuts) {
      await server.kill();
      writeFileSync(aofPath(), written.subarray(0, at));
      await server.start();
      const told = (async () => {
        await contentOf(store);
        await store.apply(markOf(4), deltaOf(4));
      })();
      await expect(told).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
      // Again, as the owner has not written down what it found.
      await server.kill();
      writeFileSync(aofPath(), written.subarray(0, at));
      await server.start();
      found.push(await exactAfter());
    }
    expect(found).toEqual([3, 3, 3, 3, 2]);
  });

  it("S3 with a flipped bit in a value never gives a wrong value", async () => {
    const store = await storeAt(1);
    await server.kill();
    const bytes = readFileSync(aofPath());
    const at = bytes.indexOf("7 at 1 7 at 1");
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(aofPath(), bytes);
    await server.start();
    await expect(store.getMany([keyOf(7)])).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    // The key group of the damage is not reported again.
    const next = create();
    const applied = await next.open(SCOPE, fenceOf(9));
    expect(applied.map(({ groups }) => groups)).toEqual([{ first: 0, last: 6 }]);
    expect(next.emptyBecause).toMatch(/does not fit/);
  });

  it("S2, S6 replaced by a stale replica tells the owner, and a new one has an earlier state", async () => {
    const between = await CuttingProxy.open(server.port);
    const front = await CuttingProxy.open(server.port);
    const follow = ["--replicaof", "127.0.0.1", new URL(between.url).port, "--repl-diskless-sync-delay", "0"];
    const replica = await startRedis({ config: [...PERSISTENT, ...follow] });
    try {
      const store = await storeAt(1, { url: front.url });
      expect(await clientOf((client) => client.wait(1, 10_000))).toBe(1);
      await between.close();
      await store.apply(markOf(2), deltaOf(2));
      await server.kill();
      await command(replica.port, "REPLICAOF", "NO", "ONE");
      front.target = replica.port;
      const failure = { code: "CHECKPOINT_CORRUPT", message: expect.stringContaining("writes are missing") as unknown };
      await expect(store.apply(markOf(3), deltaOf(3))).rejects.toMatchObject(failure);
      await expect(store.getMany([keyOf(1)])).rejects.toMatchObject(failure);
      const next = create({ url: replica.url });
      for (const { mark } of await next.open(SCOPE, fenceOf(9))) expect(mark).toEqual(markOf(1));
      await expect(store.getMany([keyOf(1)])).rejects.toMatchObject({ code: "FENCED" });
      // The old master comes back: what is written there is in the name of an owner that it does not know to be gone. Its state is whole.
      await server.start();
      expect(await exactAfter()).toBe(2);
    } finally {
      await front.close();
      await replica.stop();
    }
  });
});

describe("a server that refuses", () => {
  it("S5 learns a script again that it has forgotten", async () => {
    const store = await storeAt(1);
    await command(server.port, "SCRIPT", "FLUSH");
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });

  it("S9 is UNAVAILABLE while it runs another's script, and works again", async () => {
    const store = await storeAt(1);
    await command(server.port, "CONFIG", "SET", "busy-reply-threshold", "50");
    const other = command(server.port, "EVAL", "while true do end", "0").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
    await command(server.port, "SCRIPT", "KILL");
    await other;
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });

  it("S6 has applied nothing for want of memory, and goes on when there is some", async () => {
    const store = await storeAt(1);
    await command(server.port, "CONFIG", "SET", "maxmemory", "1");
    const failure = {
      code: "UNAVAILABLE",
      outcome: "not-applied",
      message: expect.stringContaining("code=OOM") as unknown,
    };
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject(failure);
    expect(await contentOf(store)).toEqual(stateAt(1));
    await command(server.port, "CONFIG", "SET", "maxmemory", "0");
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });

  it("S1 is refused at once if it removes keys when it needs room", async () => {
    await command(server.port, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    const message = expect.stringContaining("expected=noeviction") as unknown;
    await expect(create().open(SCOPE, fenceOf(1))).rejects.toMatchObject({ code: "UNAVAILABLE", message });
    const storage = redisCheckpoints({ url: server.url });
    await expect(storage.put("a", Buffer.from("b"))).rejects.toMatchObject({ code: "UNAVAILABLE", message });
    await storage.close();
  });

  it("CS2 is refused if it promises less than is asked for", async () => {
    await command(server.port, "CONFIG", "SET", "appendfsync", "everysec");
    for (const [durability, fits] of [
      ["process", true],
      ["host", false],
    ] as const) {
      const storage = redisCheckpoints({ url: server.url, durability });
      const putting = storage.put(durability, Buffer.from("b"));
      if (fits) expect(await putting).toBe("created");
      else await expect(putting).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await storage.close();
    }
  });

  it("S9 is UNAVAILABLE as a replica", async () => {
    const store = await storeAt(1);
    await command(server.port, "REPLICAOF", "127.0.0.1", "1");
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("others on the server", () => {
  it.each([
    ["removes everything", (client: Redis) => client.flushall()],
    ["removes a key group", async (client: Redis) => client.del((await ourKeys(client))[0] as string)],
    ["renames a key group", async (client: Redis) => client.rename((await ourKeys(client))[0] as string, "elsewhere")],
    [
      "gives a key group a time to live",
      async (client: Redis) => client.pexpire((await ourKeys(client))[0] as string, 99_999),
    ],
    [
      "puts something else in its place",
      async (client: Redis) => client.set((await ourKeys(client))[0] as string, "foreign"),
    ],
    [
      "removes an entry",
      async (client: Redis) => {
        const [key] = (await ourKeys(client)) as [string];
        const fields = await client.hkeysBuffer(key);
        await client.hdel(key, fields.find((field) => field.length > 1) as Buffer);
      },
    ],
    ["adds an entry", async (client: Redis) => client.hset((await ourKeys(client))[0] as string, "foreign", "1")],
  ])("S3, S6 who %s is noticed", async (_what, change) => {
    const store = await storeAt(2);
    await clientOf<unknown>(change);
    await expect(
      (async () => {
        expect(await contentOf(store)).toEqual(stateAt(2));
        await store.apply(markOf(3), deltaOf(3));
      })(),
    ).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it("S1 a key that is not ours is STATE_INCOMPATIBLE, and nobody is fenced", async () => {
    const store = await storeAt(1);
    const planted = await clientOf(async (client) => {
      const key = (await ourKeys(client))[3] as string;
      const dump = await client.dumpBuffer(key);
      await client.set(key, "foreign");
      await expect(create().open(SCOPE, fenceOf(9))).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
      expect(await client.get(key)).toBe("foreign");
      await client.restore(key, 0, dump, "REPLACE");
      return key;
    });
    expect(planted).toMatch(/^tidemark:\{[0-9a-z]+\}:s:[0-9a-f]{32}:\d+$/);
    expect(await contentOf(store)).toEqual(stateAt(1));
  });

  it("S1 a newer format is FORMAT_UNSUPPORTED", async () => {
    await storeAt(1);
    await clientOf(async (client) => client.hset((await ourKeys(client))[0] as string, "v", "2"));
    await expect(create().open(SCOPE, fenceOf(9))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  });

  it("S2 an owner that was stopped and goes on changes nothing", async () => {
    const zombie = await storeAt(1);
    server.pause();
    const late = zombie.apply(markOf(2), deltaOf(2));
    await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    server.resume();
    const next = create();
    await next.open(SCOPE, fenceOf(7));
    await next.load(GROUPS, (async function* () {})(), markOf(9));
    await expect(zombie.apply(markOf(2), deltaOf(2))).rejects.toMatchObject({ code: "FENCED" });
    expect((await contentOf(next)).size).toBe(0);
  });
});

describe("a connection that is cut", () => {
  it.each(["requests", "replies"] as const)(
    "S6 anywhere in its %s leaves an apply that can be done again",
    { timeout: 120_000 },
    async (what) => {
      const proxy = await CuttingProxy.open(server.port);
      try {
        const store = await storeAt(1, { url: proxy.url });
        let id = 1;
        for (let bytes = 0; bytes < (what === "requests" ? 50_000 : 1_600); bytes = Math.floor(bytes * 1.3) + 13) {
          id += 1;
          if (what === "requests") proxy.cutRequestsAfter(bytes);
          else proxy.cutRepliesAfter(bytes);
          await retried(() => store.apply(markOf(id), deltaOf(id)));
          expect(await retried(() => contentOf(store))).toEqual(stateAt(id));
        }
        expect(proxy.cuts).toBeGreaterThan(10);
        await store.close();
      } finally {
        await proxy.close();
      }
      expect(await exactAfter()).toBeGreaterThan(10);
    },
  );
});

describe("secrets", () => {
  it("S9 are in no error, nor behind one", async () => {
    const secret = "xyzzy-marker-plugh";
    await command(server.port, "CONFIG", "SET", "requirepass", "right");
    const url = `redis://:${secret}@127.0.0.1:${server.port}`;
    const failures: unknown[] = [];
    await create({ url })
      .open(SCOPE, fenceOf(1))
      .catch((error: unknown) => failures.push(error));
    const client = new Redis(url);
    client.on("error", () => undefined);
    await create({ client })
      .open(SCOPE, fenceOf(1))
      .catch((error: unknown) => failures.push(error));
    client.disconnect();
    try {
      redis({ url: `http://:${secret}@h`, checkpoints: memoryStorage() });
    } catch (error) {
      failures.push(error);
    }
    expect(failures).toHaveLength(3);
    for (const failure of failures) {
      expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(secret);
      expect(JSON.stringify(failure)).not.toContain(secret);
    }
  });
});

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      expect(error).toMatchObject({ code: "UNAVAILABLE" });
      if (attempt === 5) throw error;
    }
  }
}
