/** The rights of tidemark.acl are enough, and each of them is needed. */

import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { memoryStorage } from "@tidemark/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { command, type RedisServer, startRedis } from "./support/servers.js";
import { redis, redisCheckpoints } from "../src/index.js";
import { contentOf, deltaOf, fenceOf, GROUPS, markOf, SCOPE, stateAt } from "./support/history.js";

const WORDS = readFileSync(new URL("../tidemark.acl", import.meta.url), "utf8")
  .trim()
  .split(" ")
  .slice(2);
const PASSWORD = "change-this-password";
/** What a client asks for, a cluster needs, or is only asked where it may be. */
const OPTIONAL = ["+wait", "+info", "+config|get", "+select", "+cluster|slots"];
const NEEDED = WORDS.filter((word) => word.startsWith("+") && !OPTIONAL.includes(word));

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function setUser(...words: readonly string[]): Promise<void> {
  await command(server.port, "ACL", "SETUSER", "tidemark", "reset", ...WORDS, ...words);
}

/** All that a job does with a server. */
async function useEverything(): Promise<void> {
  await command(server.port, "FLUSHALL");
  await command(server.port, "SCRIPT", "FLUSH");
  const client = new Redis(server.port, { username: "tidemark", password: PASSWORD, enableReadyCheck: false });
  client.on("error", () => undefined);
  const storage = redisCheckpoints({ client });
  const { create } = redis({ client, checkpoints: memoryStorage(), timeoutMs: 5_000 }).store;
  const [store, next] = [create(), create()];
  try {
    await store.open(SCOPE, fenceOf(1));
    await store.apply(markOf(1), deltaOf(1));
    await store.apply(markOf(2), deltaOf(2));
    expect(await contentOf(store)).toEqual(stateAt(2));
    await next.open(SCOPE, fenceOf(2));
    await next.drop(GROUPS);
    for (const body of ["", "body"]) {
      await storage.put(`a/${body}1`, Buffer.from(body));
      await storage.put(`a/${body}1`, Buffer.from(body));
    }
    for await (const { name } of storage.list("a/")) {
      for await (const part of storage.get(name)) expect(part).toBeDefined();
    }
    await storage.remove(["a/1"]);
  } finally {
    await store.close();
    await next.close();
    await storage.close();
    client.disconnect();
  }
}

it("S1 to S9, CS1 to CS9 need no more than these rights", async () => {
  await setUser();
  await useEverything();
});

it.each(NEEDED)("S9 without %s it is told which rights are missing", async (word) => {
  await setUser(`-${word.slice(1)}`);
  const failure = await useEverything().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringMatching(/code=NOPERM.*tidemark\.acl/) as unknown,
  });
  expect(inspect(failure, { depth: 5 })).not.toContain(PASSWORD);
});

it("S9 keys of others are out of reach", async () => {
  await setUser();
  const client = new Redis(server.port, { username: "tidemark", password: PASSWORD, enableReadyCheck: false });
  await expect(client.get("other")).rejects.toThrow(/NOPERM/);
  client.disconnect();
});
