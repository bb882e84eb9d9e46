/** Clauses about jobs as a whole: nothing in them, any names in them, and where they are stored. */

import { describe, expect, test } from "vitest";
import {
  broadcast,
  defineOperator,
  list,
  map,
  memoryStorage,
  openTask,
  splitList,
  string,
  value,
} from "../src/index.js";
import { objectsOf } from "./support/objects.js";

const backendOf = (checkpoints = memoryStorage()) => ({ name: "memory", sync: true, checkpoints }) as const;

describe("T116 a job that holds nothing", () => {
  test.each([
    ["without states", defineOperator("empty", { key: string(), states: {} })],
    [
      "with states that were never written",
      defineOperator("empty", {
        key: string(),
        states: { value: value(), list: list(), map: map(), split: splitList(), rules: broadcast() },
      }),
    ],
  ])("%s is checkpointed, restored and saved as any other", async (_what, operator) => {
    const backend = backendOf();
    const task = await openTask(operator, { job: "job", backend });
    const { id, fullBytes } = await task.checkpoint();
    const place = memoryStorage();
    await task.savepoint(place);
    await task.close();
    expect(fullBytes).toBe(0);
    const restored = await openTask(operator, { job: "job", backend });
    expect(restored.restoredFrom).toBe(id);
    const moved = await openTask(operator, { job: "moved", backend: backendOf(), restore: { savepoint: place } });
    expect(moved.restoredFrom).toBeDefined();
  });

  test("holds nothing again after everything was deleted", async () => {
    const operator = defineOperator("counts", { key: string(), states: { n: value<number>(), seen: list<number>() } });
    const backend = backendOf();
    const task = await openTask(operator, { job: "job", backend });
    for (const key of ["a", "b"]) {
      task.n.set(key, 1);
      task.seen.add(key, 1);
    }
    await task.checkpoint();
    for (const key of ["a", "b"]) {
      task.n.delete(key);
      task.seen.delete(key);
    }
    expect((await task.checkpoint({ full: true })).fullBytes).toBe(0);
    await task.close();
    const restored = await openTask(operator, { job: "job", backend });
    expect([...restored.n.keysSync(), ...restored.seen.keysSync()]).toEqual([]);
  });
});

describe("T117 states are known by name", () => {
  const names = ["__proto__", "", "constructor", "a/b", "\u0000", "😀", "*"];
  const declare = (order: readonly string[]) =>
    defineOperator("o", {
      key: string(),
      states: Object.fromEntries(order.map((name) => [name, value<string>()])),
    });

  test("in whatever order they are declared, and whatever they are called", async () => {
    const backend = backendOf();
    const task = await openTask(declare(names), { job: "job", backend });
    for (const name of names) task.states[name]?.set("key", `of ${name}`);
    await task.checkpoint();
    await task.close();
    const restored = await openTask(declare([...names].reverse()), { job: "job", backend });
    for (const name of names) expect(restored.states[name]?.getSync("key"), name).toBe(`of ${name}`);
  });
});

describe("T119 a place of checkpoints", () => {
  const operator = defineOperator("o", { key: string(), states: { n: value<number>() } });

  test("can be copied anywhere, and restored there", async () => {
    const here = memoryStorage();
    const task = await openTask(operator, { job: "job", backend: backendOf(here) });
    task.n.set("a", 1);
    await task.checkpoint();
    task.n.set("b", 2);
    await task.checkpoint();
    await task.close();
    const there = memoryStorage();
    for (const [name, body] of await objectsOf(here)) await there.put(name, body);
    const restored = await openTask(operator, { job: "job", backend: backendOf(there) });
    expect([...restored.n.keysSync()].sort()).toEqual(["a", "b"]);
  });

  test("holds several jobs with checkpoints of one id, each restoring its own", async () => {
    const shared = memoryStorage();
    for (const [job, n] of [
      ["one", 1],
      ["two", 2],
    ] as const) {
      const task = await openTask(operator, { job, backend: backendOf(shared) });
      task.n.set("a", n);
      await task.checkpoint();
      await task.close();
    }
    const other = await openTask(operator, {
      job: "three",
      backend: backendOf(shared),
      restore: { from: shared, job: "two", checkpoint: 1 },
    });
    expect(other.n.getSync("a")).toBe(2);
    const one = await openTask(operator, { job: "one", backend: backendOf(shared) });
    expect(one.n.getSync("a")).toBe(1);
  });
});
