/** Whole jobs with their working state and their checkpoints in a database. */

import { defineOperator, list, openJob, openTask, splitList, string, value } from "@tidemark/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgres } from "../src/index.js";
import { Child } from "./support/child.js";
import { countedStores } from "./support/counted-stores.js";
import { TestServer } from "./support/servers.js";

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start();
}, 60_000);
afterAll(() => test.stop());

const ROUNDS = defineOperator("rounds", { key: string(), states: { n: value<number>() } });

/** A backend, and what is asked of its stores. */
function countedBackend(schema: string) {
  const backend = postgres({ pool: test.pool(), schema, cacheBytes: 0 });
  const { provider, counts } = countedStores(backend.store);
  return { backend: { ...backend, store: provider }, counts };
}

describe("a job", () => {
  it("T140 is there again after close, without reading a checkpoint", async () => {
    const schema = test.newSchema();
    const first = await openTask(ROUNDS, { job: "j", backend: countedBackend(schema).backend });
    for (let key = 0; key < 100; key++) first.n.set(`k${key}`, key);
    await first.checkpoint();
    await first.close();
    const { backend, counts } = countedBackend(schema);
    const again = await openTask(ROUNDS, { job: "j", backend });
    expect(await again.n.get("k99")).toBe(99);
    const keys: string[] = [];
    for await (const key of again.n.keys()) keys.push(key);
    expect(keys).toHaveLength(100);
    expect(counts).toEqual({ load: 0, apply: 0 });
    await again.close();
  });

  it("T142 is rebuilt from its checkpoint where the working state was emptied", async () => {
    const schema = test.newSchema();
    const first = await openTask(ROUNDS, { job: "j", backend: countedBackend(schema).backend });
    for (let key = 0; key < 100; key++) first.n.set(`k${key}`, key);
    await first.checkpoint();
    await first.close();
    await test.sql(`TRUNCATE ${schema}.tidemark_entry, ${schema}.tidemark_applied`);
    const { backend, counts } = countedBackend(schema);
    const again = await openTask(ROUNDS, { job: "j", backend });
    expect(await again.n.get("k99")).toBe(99);
    expect(counts).toEqual({ load: 1, apply: 0 });
    await again.close();
  });

  it("T140 T19 survives SIGKILL at any moment, and its working state is used as it is", {
    timeout: 60_000,
  }, async () => {
    const schema = test.newSchema();
    let last = 0;
    for (const lines of [1, 2, 4, 3]) {
      const child = Child.start(test.url, schema);
      await child.says(lines);
      await child.kill();
      last = Math.max(last, Number(child.said.at(-1)) || 0);
      const { backend, counts } = countedBackend(schema);
      const task = await openTask(ROUNDS, { job: "killed", backend, retain: 2 });
      const found = new Set<number | undefined>();
      for (let key = 0; key < 300; key++) found.add(await task.n.get(`k${key}`));
      expect(found.size).toBe(1);
      const [round = 0] = found;
      expect(round === last || round === last + 1).toBe(true);
      last = round;
      expect(counts.load).toBe(0);
      await task.close();
    }
  });

  it("T96 is the same over any number of tasks", { timeout: 60_000 }, async () => {
    const schema = test.newSchema();
    const operator = defineOperator("counts", {
      key: string(),
      states: { n: value<number>({ default: 0 }), seen: list<string>(), offsets: splitList<number>() },
      maxParallelism: 16,
    });
    const keys = Array.from({ length: 60 }, (_, index) => `key ${index}`);
    for (const [round, parallelism] of [2, 3, 1, 4].entries()) {
      const backend = postgres({ pool: test.pool(), schema, cacheBytes: 0 });
      const job = await openJob({ job: "job", backend, tasks: [{ operator, parallelism }] });
      const [{ tasks, taskOf }] = job.tasks;
      const found = await Promise.all(
        keys.map(async (key) => [await taskOf(key).n.get(key), await taskOf(key).seen.get(key)]),
      );
      const expected = Array.from({ length: round }, (_, index) => `round ${index}`);
      for (const row of found) expect(row).toEqual([round, expected]);
      for (const key of keys) {
        taskOf(key).n.set(key, round + 1);
        taskOf(key).seen.add(key, `round ${round}`);
      }
      tasks.at(-1)?.offsets.add(round);
      await job.checkpoint();
      await job.close();
    }
  });

  it("S2 of two processes the later one has it, and the other hears of it", async () => {
    const schema = test.newSchema();
    const first = await openTask(ROUNDS, { job: "j", backend: countedBackend(schema).backend });
    first.n.set("k", 1);
    await first.checkpoint();
    const second = await openTask(ROUNDS, { job: "j", backend: countedBackend(schema).backend });
    first.n.set("k", 2);
    await expect(first.checkpoint()).rejects.toMatchObject({ code: "FENCED" });
    expect(await second.n.get("k")).toBe(1);
    await Promise.allSettled([first.close(), second.close()]);
  });

  it("P1 works with a pool of one connection, also while a scan is open", { timeout: 60_000 }, async () => {
    const pool = test.pool({ max: 1 });
    const open = () => openTask(ROUNDS, { job: "j", backend: postgres({ pool, schema: "one", cacheBytes: 0 }) });
    const task = await open();
    for (let key = 0; key < 60_000; key++) task.n.set(`k${key}`, key);
    await task.checkpoint();
    task.n.set("k7", -7);
    await task.checkpoint();
    let count = 0;
    for await (const key of task.n.keys()) {
      if (count++ % 1000 === 0) expect(await task.n.get(key)).toBe(key === "k7" ? -7 : Number(key.slice(1)));
    }
    expect(count).toBe(60_000);
    await task.close();
    await test.sql("TRUNCATE one.tidemark_applied");
    const rebuilt = await open();
    expect([await rebuilt.n.get("k7"), await rebuilt.n.get("k59999")]).toEqual([-7, 59_999]);
    await rebuilt.close();
  });
});
