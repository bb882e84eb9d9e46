/** Servers that answer and do not do what is asked: the error says which, nothing has changed, and it goes on when they do. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "@tidemark/core";
import { Cluster, Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CuttingProxy } from "./support/cutting-proxy.js";
import { contentOf, deltaOf, fenceOf, keyOf, markOf, SCOPE, stateAt } from "./support/history.js";
import { redisCheckpoints } from "../src/index.js";
import { PERSISTENT, refusal, Rig } from "./support/rig.js";
import { command, startRedis } from "./support/servers.js";

let rig: Rig;
let port: number;

beforeEach(async () => {
  rig = await Rig.start();
  ({ port } = rig.server);
});
afterEach(() => rig.stop());

/** What a call that may fail says of why. */
async function failureOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return `${code} ${/code=(\w+)/.exec(message)?.[1] ?? ""}`;
  }
}

async function eventually(work: () => Promise<unknown>): Promise<void> {
  await expect
    .poll(
      () =>
        work().then(
          () => "done",
          () => "failed",
        ),
      { timeout: 10_000 },
    )
    .toBe("done");
}

describe("a server that still loads its data", () => {
  it("S9 is UNAVAILABLE, and its state is exact when it has loaded", async () => {
    const snapshots = await Rig.start(["--save", "", "--appendonly", "no"]);
    // A client that does not look whether the server is ready is answered by the server itself.
    const client = new Redis(snapshots.server.url, { enableReadyCheck: false, maxRetriesPerRequest: 0 });
    client.on("error", () => undefined);
    try {
      const stores = [await snapshots.storeAt(2, { client }), await snapshots.storeAt(2, { prefix: "other:" })];
      await command(snapshots.server.port, "SAVE");
      await snapshots.server.kill();
      const slow = ["--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024"];
      const starting = snapshots.server.start(["--save", "", "--appendonly", "no", ...slow]);
      const codes = stores.map(() => new Set<string | undefined>());
      let isStarted = false;
      const read = async (store: Store, told: Set<string | undefined>): Promise<void> => {
        while (!isStarted) told.add(await failureOf(() => store.getMany([keyOf(0)])));
      };
      const reading = stores.map((store, index) => read(store, codes[index] as Set<string | undefined>));
      await starting;
      isStarted = true;
      await Promise.all(reading);
      expect([...(codes[0] as Set<string>)]).toContain("UNAVAILABLE LOADING");
      for (const code of new Set(codes.flatMap((each) => [...each]))) {
        expect(code ?? "UNAVAILABLE").toMatch(/^UNAVAILABLE/);
      }
      for (const store of stores) {
        await eventually(() => store.getMany([keyOf(0)]));
        expect(await contentOf(store)).toEqual(stateAt(2));
      }
    } finally {
      client.disconnect();
      await snapshots.stop();
    }
  });
});

describe("a server that cannot save its data", () => {
  it("S6 MISCONF has applied nothing, and goes on when it can", async () => {
    const store = await rig.storeAt(1);
    // A directory in its place: the file that was written cannot get its name.
    mkdirSync(join(rig.server.directory, "dump.rdb"));
    await command(port, "CONFIG", "SET", "save", "3600 1000000");
    await command(port, "BGSAVE");
    await expect.poll(() => command(port, "INFO", "persistence")).toContain("rdb_last_bgsave_status:err");
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject(refusal("MISCONF"));
    expect(await contentOf(store)).toEqual(stateAt(1));
    await command(port, "CONFIG", "SET", "save", "");
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });
});

describe("a replica", () => {
  it("S3, S6 without its master is MASTERDOWN, and READONLY with stale data", async () => {
    const store = await rig.storeAt(1);
    await command(port, "CONFIG", "SET", "replica-serve-stale-data", "no");
    await command(port, "REPLICAOF", "127.0.0.1", "1");
    await expect(store.getMany([keyOf(0)])).rejects.toMatchObject(refusal("MASTERDOWN"));
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject(refusal("MASTERDOWN"));
    await command(port, "CONFIG", "SET", "replica-serve-stale-data", "yes");
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject(refusal("READONLY"));
    await command(port, "REPLICAOF", "NO", "ONE");
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });

  it("S6 that has to be there and is not is NOREPLICAS", async () => {
    const store = await rig.storeAt(1);
    await command(port, "CONFIG", "SET", "min-replicas-to-write", "1");
    await expect(store.apply(markOf(2), deltaOf(2))).rejects.toMatchObject(refusal("NOREPLICAS"));
    expect(await contentOf(store)).toEqual(stateAt(1));
  });
});

describe("replicas that have to have it", () => {
  it("CS2 a put waits for them, is UNAVAILABLE without, and is done again when they are back", async () => {
    const follow = ["--replicaof", "127.0.0.1", `${port}`, "--repl-diskless-sync-delay", "0"];
    const replica = await startRedis({ config: [...PERSISTENT, ...follow] });
    const storage = redisCheckpoints({ url: rig.server.url, timeoutMs: 1_000, replicas: 1 });
    try {
      await expect.poll(() => command(port, "INFO", "replication"), { timeout: 10_000 }).toContain("state=online");
      expect(await storage.put("a", Buffer.from("first"))).toBe("created");
      replica.pause();
      const failure = {
        code: "UNAVAILABLE",
        outcome: "unknown",
        message: expect.stringContaining("replicas=0") as unknown,
      };
      await expect(storage.put("b", Buffer.from("second"), { ifAbsent: true })).rejects.toMatchObject(failure);
      replica.resume();
      await eventually(async () => {
        expect(await storage.put("b", Buffer.from("second"), { ifAbsent: true })).toBe("exists");
      });
      await rig.server.kill();
      await command(replica.port, "REPLICAOF", "NO", "ONE");
      const after = redisCheckpoints({ url: replica.url });
      const names: string[] = [];
      for await (const { name } of after.list("")) names.push(name);
      expect(names).toEqual(["a", "b"]);
      await after.close();
    } finally {
      await storage.close();
      await replica.stop();
    }
  });

  it("CS2 options that cannot be are refused", () => {
    const { url } = rig.server;
    expect(() => redisCheckpoints({ url, replicas: -1 })).toThrow(RangeError);
    const cluster = new Cluster([{ host: "127.0.0.1", port }], { lazyConnect: true });
    expect(() => redisCheckpoints({ client: cluster, replicas: 1 })).toThrow(TypeError);
  });
});

describe("a server that is set up otherwise meanwhile", () => {
  it("S3 one that begins to remove keys for want of room is noticed", async () => {
    const store = await rig.storeAt(2);
    await command(port, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await command(port, "CONFIG", "SET", "maxmemory", "1");
    // Whatever wants room makes it remove keys.
    await command(port, "SET", "other", "x").catch(() => undefined);
    await command(port, "CONFIG", "SET", "maxmemory", "0");
    await expect(contentOf(store)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it("S9 another password is an error without either, and the right one heals", async () => {
    await command(port, "CONFIG", "SET", "requirepass", "first-canary");
    const store = await rig.storeAt(1, { url: `redis://:first-canary@127.0.0.1:${port}` });
    const admin = new Redis(`redis://:first-canary@127.0.0.1:${port}`);
    try {
      await admin.config("SET", "requirepass", "second-canary");
      await admin.call("client", "kill", "type", "normal");
      const error: unknown = await store.apply(markOf(2), deltaOf(2)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "UNAVAILABLE" });
      expect(String((error as Error).message)).not.toContain("canary");
      await admin.config("SET", "requirepass", "first-canary");
    } finally {
      admin.disconnect();
    }
    await eventually(() => store.apply(markOf(2), deltaOf(2)));
    expect(await contentOf(store)).toEqual(stateAt(2));
  });
});

describe("a database that is not the first", () => {
  it("S3, S6 stays the one that is used when the connection was cut", async () => {
    const proxy = await CuttingProxy.open(port);
    try {
      const store = await rig.storeAt(1, { url: `${proxy.url}/1` });
      for (let id = 2; id < 6; id++) {
        proxy.cutRepliesAfter(20 * id);
        await eventually(() => store.apply(markOf(id), deltaOf(id)));
        expect(await contentOf(store)).toEqual(stateAt(id));
      }
      expect(proxy.cuts).toBeGreaterThan(2);
      const keyspace = await command(port, "INFO", "keyspace");
      expect(keyspace).toContain("db1:");
      expect(keyspace).not.toContain("db0:");
      await store.close();
    } finally {
      await proxy.close();
    }
  });

  it("S3, S6 emptied by FLUSHDB is noticed; another one is none of ours", async () => {
    const store = await rig.storeAt(2, { url: `${rig.server.url}/3` });
    const other = new Redis(rig.server.url);
    try {
      await other.flushdb();
      expect(await contentOf(store)).toEqual(stateAt(2));
      await other.select(3);
      await other.flushdb();
    } finally {
      other.disconnect();
    }
    await expect(store.getMany([keyOf(0)])).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await expect(store.apply(markOf(3), deltaOf(3))).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    const next = rig.create({ url: `${rig.server.url}/3` });
    expect(await next.open(SCOPE, fenceOf(9))).toEqual([]);
  });
});
