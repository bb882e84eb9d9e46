import { expect, test } from "vitest";
import { defineOperator, memoryStorage, openTask, string, value } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";

const OPERATOR = defineOperator("counter", {
  key: string(),
  states: { count: value({ default: 0 }) },
  timers: true,
});

async function openCounter() {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  return openTask(OPERATOR, { job: "job", backend });
}

const failure = new Error("handler");

/** A source that is alive and has nothing more to say for now. */
async function* once(record: string, silence: Promise<void>) {
  yield record;
  await silence;
}

test("T29 a barrier that waits for a handler which throws takes nothing of what it left half done", async () => {
  const task = await openCounter();
  const gate = new Gate();
  const silence = new Gate();
  const processed = task.process(
    once("a", silence.opened),
    (key) => key,
    async (key) => {
      task.count.set(key, 1);
      await gate.opened;
      throw failure;
    },
  );
  const rejected = expect(processed).rejects.toBe(failure);
  await atRest();
  const checkpoint = expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED", cause: failure });
  gate.open();
  await checkpoint;
  await atRest();
  await expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
  expect(task.retained).toEqual([]);
  silence.open();
  await rejected;
});

test("T29 no checkpoint comes after an `admitted` that throws", async () => {
  const task = await openCounter();
  const processed = task.process(
    ["a"],
    (key) => key,
    () => undefined,
    {
      admitted() {
        task.count.set("position", 1);
        throw failure;
      },
    },
  );
  const rejected = expect(processed).rejects.toBe(failure);
  await rejected;
  await expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
});

test.each([false, true])(
  "T58 no barrier comes between a timer's error and the poisoning, async %s",
  async (isAsync) => {
    const task = await openCounter();
    const gate = new Gate();
    const slow = new Gate();
    task.timers.onFire(({ key }) => {
      if (key === "slow") return slow.opened;
      task.count.set(key, 1);
      if (isAsync) {
        return gate.opened.then(() => {
          throw failure;
        });
      }
      throw failure;
    });
    task.timers.event.register("slow", 1);
    task.timers.event.register("k", 2);
    const advanced = expect(task.advanceWatermark(5)).rejects.toBe(failure);
    await atRest();
    const checkpoint = expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
    gate.open();
    await atRest();
    slow.open();
    await checkpoint;
    await advanced;
    expect(task.retained).toEqual([]);
  },
);
