import { describe, expect, expectTypeOf, test } from "vitest";
import {
  defineOperator,
  keyGroupOf,
  KeyGroups,
  list,
  memoryStorage,
  openJob,
  splitKeyGroups,
  splitList,
  string,
  value,
} from "../src/index.js";

const COUNTS = defineOperator("counts", {
  key: string(),
  states: { n: value<number>({ default: 0 }), seen: list<string>(), offsets: splitList<number>() },
  maxParallelism: 128,
});
const OTHER = defineOperator("other", { key: string(), states: { n: value<number>() } });
const KEYS = Array.from({ length: 500 }, (_, i) => `key ${i}`);

const backendOf = (checkpoints = memoryStorage()) => ({ name: "memory", sync: true, checkpoints }) as const;

function openCounts(parallelism: number, checkpoints = memoryStorage()) {
  return openJob({ job: "job", backend: backendOf(checkpoints), tasks: [{ operator: COUNTS, parallelism }] });
}

describe("T96 an operator with parallelism", () => {
  test("runs as so many tasks that own all key groups, each key in one of them", async () => {
    const { tasks } = await openCounts(5);
    const [counts] = tasks;
    expect(counts.tasks.map(({ keyGroups }) => keyGroups)).toEqual(splitKeyGroups(128, 5));
    for (const key of KEYS) {
      const owner = counts.taskOf(key);
      expect(owner.keyGroups.has(keyGroupOf(COUNTS.key.hash(key), 128))).toBe(true);
      owner.n.set(key, 1);
      for (const task of counts.tasks) {
        if (task !== owner) {
          expect(() => task.n.set(key, 1)).toThrow(expect.objectContaining({ code: "KEY_NOT_OWNED" }));
        }
      }
    }
  });

  test("stands beside single tasks, in the order given, with their types", async () => {
    const { tasks } = await openJob({
      job: "job",
      backend: backendOf(),
      tasks: [{ operator: OTHER }, { operator: COUNTS, parallelism: 2 }],
    });
    const [other, counts] = tasks;
    expectTypeOf(other.n.getSync).returns.toEqualTypeOf<number | undefined>();
    expectTypeOf(counts.taskOf("k").seen.getSync).returns.toEqualTypeOf<readonly string[]>();
    other.n.set("k", 1);
    counts.taskOf("k").seen.add("k", "a");
    expect([other.n.getSync("k"), counts.taskOf("k").seen.getSync("k")]).toEqual([1, ["a"]]);
  });

  test("has the same state after any change of parallelism, and keeps the key groups that it can", async () => {
    const storage = memoryStorage();
    let owned: readonly KeyGroups[] = [];
    for (const [round, parallelism] of [3, 4, 4, 7, 2, 1, 128].entries()) {
      const job = await openCounts(parallelism, storage);
      const [{ tasks, taskOf }] = job.tasks;
      const groups = tasks.map(({ keyGroups }) => keyGroups);
      expect(KeyGroups.of(groups.flatMap(({ ranges }) => ranges)).equals(KeyGroups.all(128))).toBe(true);
      const stayed = owned.reduce((sum, before, i) => sum + (groups[i]?.intersect(before).count ?? 0), 0);
      const even = Math.floor(128 / Math.max(parallelism, owned.length));
      expect(stayed).toBeGreaterThanOrEqual(even * Math.min(parallelism, owned.length));
      owned = groups;
      for (const key of KEYS) {
        expect(taskOf(key).n.getSync(key)).toBe(round);
        expect(taskOf(key).seen.getSync(key)).toHaveLength(round);
        taskOf(key).n.set(key, round + 1);
        taskOf(key).seen.add(key, `round ${round}`);
      }
      expect(tasks.flatMap(({ offsets }) => [...offsets.get()])).toEqual(Array.from({ length: round }, (_, i) => i));
      tasks.at(-1)?.offsets.add(round);
      await job.checkpoint();
      await job.close();
    }
  });

  test("moves a share of one in N+1 of the key groups when it grows by one task", async () => {
    const storage = memoryStorage();
    const first = await openCounts(4, storage);
    const before = first.tasks[0].tasks.map(({ keyGroups }) => keyGroups);
    await first.checkpoint();
    await first.close();
    const second = await openCounts(5, storage);
    const after = second.tasks[0].tasks.map(({ keyGroups }) => keyGroups);
    const stayed = before.reduce((sum, groups, i) => sum + groups.intersect(after[i] as KeyGroups).count, 0);
    expect(128 - stayed).toBeLessThanOrEqual(Math.ceil(128 / 5));
  });

  test.each([0, -1, 1.5, 129, Number.NaN])("cannot run as %s tasks", async (parallelism) => {
    await expect(openCounts(parallelism)).rejects.toThrow(RangeError);
  });

  test("is not given key groups as well, nor twice", async () => {
    const groups = KeyGroups.all(128);
    const both = [{ operator: COUNTS, parallelism: 2, keyGroups: groups }] as const;
    await expect(openJob({ job: "job", backend: backendOf(), tasks: both })).rejects.toThrow(TypeError);
    const twice = [
      { operator: COUNTS, parallelism: 2 },
      { operator: COUNTS, parallelism: 2 },
    ] as const;
    await expect(openJob({ job: "job", backend: backendOf(), tasks: twice })).rejects.toThrow(RangeError);
  });
});
