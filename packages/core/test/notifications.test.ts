import { expect, test } from "vitest";
import { defineOperator, memoryStorage, openTask, StateBackendError, string, value } from "../src/index.js";
import type { CheckpointListener, CheckpointOptions } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });

async function openCounter(listener: CheckpointListener, options: CheckpointOptions = {}) {
  const storage = new HookedStorage(memoryStorage());
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  return { task: await openTask(OPERATOR, { job: "job", backend, clock, listener, ...options }), storage, clock };
}

test("T78 a listener is told of completed, aborted and subsumed checkpoints, ids ascending, not of savepoints", async () => {
  const told: unknown[] = [];
  const { task, storage } = await openCounter({
    completed: (id) => told.push(["completed", id]),
    aborted: (id) => told.push(["aborted", id]),
    subsumed: (ids) => told.push(["subsumed", ids]),
  });
  task.count.set("k", 1);
  await task.checkpoint();
  storage.beforePut = async () => {
    throw new StateBackendError("UNAVAILABLE", "No.");
  };
  task.count.set("k", 2);
  await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  storage.beforePut = async () => undefined;
  await task.savepoint(memoryStorage());
  await task.checkpoint();
  expect(told).toEqual([
    ["completed", 1],
    ["aborted", 2],
    ["completed", 4],
    ["subsumed", [1]],
  ]);
});

test("T78 an exception of a listener poisons the tasks, and the checkpoint stays completed", async () => {
  const failure = new Error("listener");
  const { task } = await openCounter({
    completed: () => {
      throw failure;
    },
  });
  task.count.set("k", 1);
  expect(await task.checkpoint()).toMatchObject({ id: 1, status: "completed" });
  expect(task.retained).toEqual([1]);
  expect(() => task.count.set("k", 2)).toThrow(expect.objectContaining({ code: "POISONED", cause: failure }));
});

test("T79 the age of the last completed checkpoint grows until the next one, failed ones do not count", async () => {
  const { task, storage, clock } = await openCounter({});
  expect(task.lastCompleted).toBeUndefined();
  await task.checkpoint();
  clock.advance(1500);
  storage.beforePut = async () => {
    throw new StateBackendError("UNAVAILABLE", "No.");
  };
  await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(task.lastCompleted).toEqual({ id: 1, endedAt: clock.now() - 1500, ageMs: 1500 });
  storage.beforePut = async () => undefined;
  await task.checkpoint();
  expect(task.lastCompleted).toMatchObject({ id: 3, ageMs: 0 });
});

test.each([true, false])("T80 records are handled during an upload if asyncSnapshots=%s", async (asyncSnapshots) => {
  const { task, storage } = await openCounter({}, { asyncSnapshots });
  const gate = new Gate();
  storage.beforePut = (name) => (name.includes("/segment/") ? gate.opened : Promise.resolve());
  task.count.set("k", 1);
  const checkpoint = task.checkpoint();
  const handled: string[] = [];
  const processed = task.process(
    ["a"],
    (key) => key,
    (key) => handled.push(key),
  );
  await atRest();
  expect(handled).toEqual(asyncSnapshots ? ["a"] : []);
  gate.open();
  await checkpoint;
  await processed;
  expect(handled).toEqual(["a"]);
});
