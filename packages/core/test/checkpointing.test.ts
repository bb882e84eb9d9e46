import { describe, expect, test } from "vitest";
import {
  type CheckpointOptions,
  defineOperator,
  memoryStorage,
  openTask,
  StateBackendError,
  string,
  value,
} from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { objectsOf } from "./support/objects.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });

async function openCounter(options: CheckpointOptions = {}, inner = memoryStorage()) {
  const storage = new HookedStorage(inner);
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock, graceMs: 0, ...options });
  return { task, clock, storage, inner };
}

const failing = async (name: string): Promise<void> => {
  if (name.includes("/segment/")) throw new StateBackendError("UNAVAILABLE", "No.");
};

describe("T24 retention", () => {
  test.each([1, 2, 3])("keeps the latest %i checkpoints, and only they can be restored", async (retain) => {
    const { task, inner } = await openCounter({ retain });
    for (let i = 1; i <= 5; i++) {
      task.count.set("k", i);
      await task.checkpoint();
    }
    const kept = [1, 2, 3, 4, 5].slice(-retain);
    expect(task.retained).toEqual(kept);
    await task.close();
    for (const id of [1, 2, 3, 4, 5]) {
      const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
      const opened = openTask(OPERATOR, {
        job: "other",
        backend,
        restore: { from: inner, job: "job", checkpoint: id },
      });
      if (kept.includes(id)) expect((await opened).count.getSync("k")).toBe(id);
      else await expect(opened).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    }
  });

  test("removes what no kept checkpoint needs", async () => {
    const { task, inner } = await openCounter();
    for (let i = 1; i <= 40; i++) {
      task.count.set("k", i);
      await task.checkpoint();
    }
    const segments = [...(await objectsOf(inner)).keys()].filter((name) => name.includes("/segment/"));
    expect(segments.length).toBeLessThanOrEqual(17);
    expect(task.garbageError).toBeUndefined();
  });
});

describe("T19 a deadline", () => {
  test("aborts a checkpoint whose upload does not end, and ignores that it ends later", async () => {
    const { task, clock, storage, inner } = await openCounter({ timeoutMs: 1000 });
    const gate = new Gate();
    storage.beforePut = (name) => (name.includes("/segment/") ? gate.opened : Promise.resolve());
    task.count.set("k", 1);
    const checkpoint = task.checkpoint();
    await atRest();
    clock.advance(999);
    await atRest();
    expect(task.checkpoints).toEqual([]);
    clock.advance(1);
    await expect(checkpoint).rejects.toMatchObject({ code: "ABORTED", retryable: true });
    expect(task.checkpoints.map(({ status }) => status)).toEqual(["failed"]);
    gate.open();
    await atRest();
    expect(task.retained).toEqual([]);
    expect([...(await objectsOf(inner)).keys()].filter((name) => name.includes("/checkpoint/"))).toEqual([]);
    task.count.set("l", 2);
    expect((await task.checkpoint()).id).toBe(2);
    await task.close();
    const { task: restored } = await openCounter({}, inner);
    expect([restored.count.getSync("k"), restored.count.getSync("l")]).toEqual([1, 2]);
  });

  test("is over when its checkpoint is: no timer is left", async () => {
    const { task, clock } = await openCounter();
    task.count.set("k", 1);
    await task.checkpoint();
    expect(clock.pendingCount).toBe(0);
  });
});

describe("T81 automatic checkpoints", () => {
  const ids = (task: { readonly checkpoints: readonly { readonly id: number }[] }) =>
    task.checkpoints.map(({ id }) => id);

  test("come at the interval", async () => {
    const { task, clock } = await openCounter({ intervalMs: 1000 });
    clock.advance(999);
    await atRest();
    expect(ids(task)).toEqual([]);
    clock.advance(1);
    await atRest();
    expect(ids(task)).toEqual([1]);
    clock.advance(1000);
    await atRest();
    expect(ids(task)).toEqual([1, 2]);
    await task.close();
    clock.advance(10_000);
    await atRest();
    expect(ids(task)).toEqual([1, 2]);
    expect(clock.pendingCount).toBe(0);
  });

  test("leave the pause between them, however long one takes", async () => {
    const { task, clock, storage } = await openCounter({ intervalMs: 1000, minPauseMs: 300 });
    const gate = new Gate();
    storage.beforePut = () => gate.opened;
    task.count.set("k", 1);
    clock.advance(1000);
    await atRest();
    clock.advance(5000);
    gate.open();
    await atRest();
    expect(ids(task)).toEqual([1]);
    clock.advance(299);
    await atRest();
    expect(ids(task)).toEqual([1]);
    clock.advance(1);
    await atRest();
    expect(ids(task)).toEqual([1, 2]);
  });

  test("are left out while one that was asked for is under way", async () => {
    const { task, clock, storage } = await openCounter({ intervalMs: 1000 });
    const gate = new Gate();
    storage.beforePut = () => gate.opened;
    task.count.set("k", 1);
    const byHand = task.checkpoint();
    clock.advance(1000);
    gate.open();
    await byHand;
    await atRest();
    expect(ids(task)).toEqual([1]);
  });

  test("that fail too often in a row poison the task", async () => {
    const { task, clock, storage } = await openCounter({ intervalMs: 1000, toleratedFailures: 2 });
    storage.beforePut = failing;
    task.count.set("k", 1);
    for (let i = 0; i < 2; i++) {
      clock.advance(1000);
      await atRest();
    }
    expect(task.count.getSync("k")).toBe(1);
    clock.advance(1000);
    await atRest();
    expect(task.checkpoints.map(({ status }) => status)).toEqual(["failed", "failed", "failed"]);
    expect(() => task.count.getSync("k")).toThrow(expect.objectContaining({ code: "POISONED" }));
    expect(() => task.count.set("k", 2)).toThrow(expect.objectContaining({ code: "POISONED" }));
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
    await task.close();
    expect(() => task.count.getSync("k")).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  test("that fail now and then do not poison the task", async () => {
    const { task, clock, storage } = await openCounter({ intervalMs: 1000, toleratedFailures: 1 });
    for (let i = 0; i < 6; i++) {
      storage.beforePut = i % 2 === 0 ? failing : async () => undefined;
      task.count.set("k", i);
      clock.advance(1000);
      await atRest();
    }
    expect(task.checkpoints.map(({ status }) => status === "failed")).toEqual([true, false, true, false, true, false]);
    expect(task.count.getSync("k")).toBe(5);
  });

  test("after a failure hold everything that was frozen before it", async () => {
    const { task, storage, inner } = await openCounter();
    task.count.set("a", 1);
    task.count.set("b", 1);
    storage.beforePut = failing;
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    task.count.set("a", 2);
    task.count.delete("b");
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    storage.beforePut = async () => undefined;
    await task.checkpoint();
    await task.close();
    const { task: restored } = await openCounter({}, inner);
    expect([...restored.count.keysSync()]).toEqual(["a"]);
    expect(restored.count.getSync("a")).toBe(2);
  });
});

describe("T30 ready", () => {
  const memoryBytes = 64 * 1024;

  test("starts a checkpoint when memory is short, and waits for it when there is none", async () => {
    const { task, storage } = await openCounter({ memoryBytes });
    const gate = new Gate();
    storage.beforePut = (name) => (name.includes("/segment/") ? gate.opened : Promise.resolve());
    let isReady = false;
    let key = 0;
    await task.ready();
    expect(task.checkpoints).toEqual([]);
    for (; key < 5000; key++) task.count.set(`key ${key}`, key);
    const ready = task.ready().then(() => {
      isReady = true;
    });
    await atRest();
    expect(isReady).toBe(false);
    gate.open();
    await ready;
    expect(task.checkpoints.map(({ status }) => status)).toEqual(["completed"]);
  });

  test("bounds what is in no checkpoint, over any number of records", async () => {
    const { task } = await openCounter({ memoryBytes });
    for (let i = 0; i < 20_000; i++) {
      await task.ready();
      task.count.set(`key ${i % 3000}`, i);
    }
    expect(task.checkpoints.length).toBeGreaterThan(5);
    expect(task.checkpoints.every(({ status }) => status === "completed")).toBe(true);
  });

  test("tries again after a pause, and refuses once too many have failed", async () => {
    const { task, clock, storage } = await openCounter({ memoryBytes, toleratedFailures: 1 });
    storage.beforePut = failing;
    for (let i = 0; i < 5000; i++) task.count.set(`key ${i}`, i);
    const ready = task.ready();
    const refused = expect(ready).rejects.toMatchObject({ code: "POISONED" });
    await atRest();
    expect(task.checkpoints).toHaveLength(1);
    clock.advance(500);
    await atRest();
    expect(task.checkpoints).toHaveLength(2);
    clock.advance(500);
    await refused;
  });
});
