import { expect, test } from "vitest";
import { defineOperator, memoryStorage, openTask, string, value } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });

async function openCounter() {
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  return { task: await openTask(OPERATOR, { job: "job", backend, clock, timeoutMs: 1000 }), clock };
}

test("T90 a handler that waits for the watermark after its first await is told so in the end", async () => {
  const { task, clock } = await openCounter();
  const processed = task.process(
    ["a"],
    (key) => key,
    async () => {
      await Promise.resolve();
      await task.advanceWatermark(5);
    },
  );
  const rejected = expect(processed).rejects.toMatchObject({ code: "ABORTED", message: /wait for itself/ });
  await atRest();
  clock.advance(999);
  await atRest();
  expect(() => task.count.getSync("a")).not.toThrow();
  clock.advance(1);
  await rejected;
  expect(task.watermark).toBeUndefined();
  expect(() => task.count.getSync("a")).toThrow(expect.objectContaining({ code: "POISONED" }));
  await task.close();
  expect(clock.pendingCount).toBe(0);
});

test("T90 a watermark for which slow handlers leave no time changes nothing, and can be given again", async () => {
  const { task, clock } = await openCounter();
  const gate = new Gate();
  const processed = task.process(
    ["a"],
    (key) => key,
    async (key) => {
      await gate.opened;
      task.count.set(key, 1);
    },
  );
  await atRest();
  const refused = expect(task.advanceWatermark(5)).rejects.toMatchObject({ code: "ABORTED", retryable: true });
  await atRest();
  clock.advance(1000);
  await refused;
  expect(task.watermark).toBeUndefined();
  const advanced = task.advanceWatermark(5);
  await atRest();
  gate.open();
  await processed;
  await advanced;
  expect(task.watermark).toBe(5);
  expect(clock.pendingCount).toBe(0);
});

test("T90 the watermark of a record waits as long as it takes", async () => {
  const { task, clock } = await openCounter();
  const gate = new Gate();
  const processed = task.process(
    ["a"],
    (key) => key,
    () => gate.opened,
    { watermarkOf: () => 5 },
  );
  await atRest();
  clock.advance(10_000);
  await atRest();
  gate.open();
  await processed;
  expect(task.watermark).toBe(5);
});
