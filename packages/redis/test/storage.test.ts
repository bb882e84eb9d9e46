/** The laws of the conformance kit on checkpoints and whole jobs in Redis. The kit's names of tests quote the clauses. */

import type { BackendHarness } from "@tidemark/conformance";
import { conformance } from "@tidemark/conformance/vitest";
import { type CheckpointStorage, memoryStorage } from "@tidemark/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RedisServer, startRedis } from "./support/servers.js";
import { redis, redisCheckpoints } from "../src/index.js";

let server: RedisServer;
let client: Redis;
let places = 0;

const HARNESS: BackendHarness<{ readonly prefix: string }> = {
  contract: "backend",
  name: "Redis",
  capabilities: { durable: true },
  inapplicable: { faults: "faults.test.ts breaks servers and connections", crash: "faults.test.ts kills servers" },
  create: () => ({ prefix: `place:${++places}:` }),
  reopen: ({ prefix }) => redisCheckpoints({ client, prefix }),
  backend: () => redis({ client, prefix: `state:${++places}:`, checkpoints: memoryStorage() }),
  destroy: () => undefined,
  async readBack({ prefix }, name) {
    return (await client.getBuffer(`${prefix}{checkpoints}:o:${name}`)) ?? undefined;
  },
  async corrupt({ prefix }, name, bytes) {
    const key = `${prefix}{checkpoints}:o:${name}`;
    if (bytes !== undefined) await client.set(key, Buffer.from(bytes));
    else {
      await client.del(key);
      await client.zrem(`${prefix}{checkpoints}:names`, name);
    }
  },
  advance: () => undefined,
};

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

conformance(HARNESS);

it("CS2 what a put that did not end has left goes by itself", async () => {
  const storage: CheckpointStorage = redisCheckpoints({ client, prefix: "left:" });
  const failure = new Error("The body ends here.");
  const putting = storage.put(
    "a",
    (async function* () {
      yield Buffer.alloc(10);
      const [key] = await client.keys("left:*:p:*");
      expect(await client.pttl(key as string)).toBeGreaterThan(0);
      throw failure;
    })(),
  );
  await expect(putting).rejects.toBe(failure);
  expect(await client.keys("left:*")).toEqual([]);
  await storage.close();
});
