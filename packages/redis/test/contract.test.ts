/** The laws of `Store` hold of Redis. */

import {
  anyStoreHistory,
  checkProperty,
  checkStoreLaw,
  type OpenStoreHarness,
  STORE_LAWS,
} from "@tidemark/conformance";
import { memoryStorage, type Store } from "@tidemark/core";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "./support/servers.js";
import { redis, type RedisClient } from "../src/index.js";

let server: RedisServer;
let places = 0;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** A prefix that no other place has. */
function newPrefix(): string {
  return `test:${++places}:`;
}

function withClient(make: () => RedisClient & { disconnect(): void }): OpenStoreHarness {
  return async () => {
    const client = make();
    const { store } = redis({ client, prefix: newPrefix(), checkpoints: memoryStorage() });
    const stores: Store[] = [];
    return {
      takeover: "fences",
      create() {
        const created = store.create();
        stores.push(created);
        return created;
      },
      // What a process had sent is done by the server, dead or not; no later call comes.
      crash: async () => undefined,
      async dispose() {
        for (const each of stores) await each.close();
        expect(client.status).toBe("ready");
        client.disconnect();
      },
    };
  };
}

const withUrl: OpenStoreHarness = async () => {
  const { store } = redis({ url: server.url, prefix: newPrefix(), checkpoints: memoryStorage() });
  const stores: Store[] = [];
  return {
    takeover: "fences",
    create() {
      const created = store.create();
      stores.push(created);
      return created;
    },
    crash: async () => undefined,
    async dispose() {
      for (const each of stores) await each.close();
    },
  };
};

describe.each([
  { what: "a url", open: withUrl },
  { what: "a client of ioredis 6", open: withClient(() => new Redis(server.url)) },
  { what: "a client of ioredis 5", open: withClient(() => new Redis5(server.url)) },
])("$what", ({ open }) => {
  it.each(STORE_LAWS)("$id $title", async (law) => {
    await checkStoreLaw(law, open);
  });

  it("S1, S2, S3, S4, S5, S6, S7, S8, S9: after any history it answers as the model says", {
    timeout: 120_000,
  }, async () => {
    await checkProperty("any store history", anyStoreHistory(open), { runs: 30, seed: 12 });
  });
});
