import { describe, expect, test } from "vitest";
import { defineOperator, memoryStorage, openTask, string, type TtlOptions, value } from "../src/index.js";
import { ManualClock } from "./support/manual-clock.js";

const MS = 100;

async function opened(ttl: Omit<TtlOptions, "ms">, storage = memoryStorage(), clock = new ManualClock()) {
  const operator = defineOperator("ttl", { key: string(), states: { value: value<number>({ ttl: { ms: MS, ...ttl } }) } });
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(operator, { job: "job", backend, clock, graceMs: 0 });
  return { task, clock, storage };
}

describe("a value with a time to live", () => {
  test("T43 T03 expires at exactly its stamp plus ms, also over a restore", async () => {
    const { task, clock, storage } = await opened({});
    task.value.set("k", 1);
    clock.advance(MS - 1);
    expect(task.value.getSync("k")).toBe(1);
    await task.checkpoint();
    await task.close();
    const again = await opened({}, storage, clock);
    expect(again.task.value.getSync("k")).toBe(1);
    clock.advance(1);
    expect(again.task.value.getSync("k")).toBeUndefined();
    expect([...again.task.value.keysSync()]).toEqual([]);
  });
});
