/** Whole jobs whose working state is in Redis: what they read of their checkpoints when they are opened again. */

import {
  type ByteRange,
  type CheckpointStorage,
  defineOperator,
  list,
  map,
  memoryStorage,
  openJob,
  openTask,
  string,
  value,
} from "@tidemark/core";
import { directory } from "@tidemark/filesystem";
import { anyHistory, checkProperty, Coverage, memoryPlace } from "@tidemark/conformance";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { command, type RedisServer, startRedis } from "./support/servers.js";
import { redis } from "../src/index.js";

const OPERATOR = defineOperator("visits", {
  key: string(),
  states: { count: value<number>({ default: 0 }), seen: list<string>(), pages: map<string, number>() },
});
const KEYS = Array.from({ length: 200 }, (_, index) => `key ${index}`);
const PERSISTENT = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

let server: RedisServer;
let segmentsRead: number;
let checkpoints: CheckpointStorage;
let reasons: string[];

beforeAll(async () => {
  server = await startRedis({ config: PERSISTENT });
});
afterAll(() => server.stop());
beforeEach(async () => {
  await command(server.port, "FLUSHALL");
  checkpoints = counting(memoryStorage());
  reasons = [];
});

function counting(storage: CheckpointStorage): CheckpointStorage {
  return {
    put: (name, body, options) => storage.put(name, body, options),
    get(name: string, range?: ByteRange) {
      if (name.includes("/segment/")) segmentsRead += 1;
      return storage.get(name, range);
    },
    list: (prefix) => storage.list(prefix),
    remove: (names) => storage.remove(names),
    close: async () => undefined,
  };
}

async function open() {
  segmentsRead = 0;
  const onRebuild = (reason: string): void => void reasons.push(reason);
  return openTask(OPERATOR, { job: "visits", backend: redis({ url: server.url, checkpoints, onRebuild }), retain: 3 });
}

/** Tokens of the last writes of all key groups. */
async function tokens(): Promise<ReadonlySet<string | null>> {
  const client = new Redis(server.url);
  const keys = await client.keys("tidemark:*");
  const found = await Promise.all(keys.map((key) => client.hget(key, "s")));
  client.disconnect();
  expect(keys).toHaveLength(128);
  return new Set(found);
}

type Opened = Awaited<ReturnType<typeof open>>;

function visit(task: Opened, round: number): void {
  for (const [index, key] of KEYS.entries()) {
    if ((index + round) % 3 === 0) continue;
    task.count.set(key, round * 1000 + index);
    task.seen.add(key, `round ${round}`);
    task.pages.set(key, `page ${round % 4}`, round);
  }
}

async function everything(task: Opened): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const key of KEYS) {
    const pages: unknown[] = [];
    for await (const page of task.pages.entries(key)) pages.push(page);
    all.push([await task.count.get(key), await task.seen.get(key), pages]);
  }
  return all;
}

async function run(rounds: readonly number[]): Promise<unknown[]> {
  const task = await open();
  for (const round of rounds) {
    visit(task, round);
    await task.checkpoint();
  }
  const all = await everything(task);
  await task.close();
  return all;
}

describe("a job that is opened again", () => {
  it("S1, S5 reads no segment if its store is at the checkpoint, also after the server was killed", async () => {
    const before = await run([1, 2, 3]);
    await server.kill();
    await server.start();
    const task = await open();
    expect(segmentsRead).toBe(0);
    expect(await everything(task)).toEqual(before);
    await task.close();
  });

  it("S7 rebuilds a store that is gone", async () => {
    const before = await run([1, 2]);
    await command(server.port, "FLUSHALL");
    const task = await open();
    expect(segmentsRead).toBeGreaterThan(0);
    expect(await everything(task)).toEqual(before);
    await task.close();
  });

  it("S1 rebuilds a store in which entries are missing, and says why", async () => {
    const before = await run([1, 2]);
    const client = new Redis(server.url);
    const [key] = (await client.keys("tidemark:*")).sort();
    const fields = await client.hkeysBuffer(key as string);
    await client.hdel(key as string, fields.find((field) => field.length > 1) as Buffer);
    client.disconnect();
    const task = await open();
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(/its record does not fit its entries/);
    expect(await everything(task)).toEqual(before);
    await task.close();
  });

  it("S1, S2 with other numbers of tasks finds its key groups where they are, and rebuilds none", async () => {
    const job = (parallelism: number) =>
      openJob({
        job: "visits",
        backend: redis({ url: server.url, checkpoints }),
        tasks: [{ operator: OPERATOR, parallelism }],
      });
    const first = await job(1);
    for (const [index, key] of KEYS.entries()) first.tasks[0].taskOf(key).count.set(key, index);
    await first.checkpoint();
    await first.close();
    for (const parallelism of [3, 2]) {
      const next = await job(parallelism);
      // They were taken over, and not written since.
      expect(await tokens()).toEqual(new Set(["0"]));
      const [operator] = next.tasks;
      const counts = await Promise.all(KEYS.map((key) => operator.taskOf(key).count.get(key)));
      expect(counts).toEqual(KEYS.map((_, index) => index));
      await next.checkpoint();
      await next.close();
    }
  });
});

it("T19 T20 any history of a job over Redis, with checkpoints in a directory, is that of the model", async () => {
  const place = mkdtempSync(join(tmpdir(), "tidemark-redis-"));
  const client = new Redis(server.url);
  let histories = 0;
  const harness = {
    name: "Redis",
    backend: () => redis({ client, prefix: `history:${++histories}:`, checkpoints: directory(place) }),
    place: memoryPlace,
  };
  const property = anyHistory(harness, new Coverage(), 30);
  await checkProperty("any history", property, { runs: 15, seed: 3 });
  client.disconnect();
  rmSync(place, { recursive: true, force: true });
});
