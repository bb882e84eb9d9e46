import { describe, expect, test } from "vitest";
import { type Backend, memoryStorage, memoryStore, openTask, StateBackendError } from "../src/index.js";
import { at, COUNTER, leavesIn, openCounter, restored } from "./support/counter-task.js";
import { atRest, Gate } from "./support/gate.js";
import { holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { recordingStores } from "./support/recording-store.js";

describe("T84 beside other checkpoints", () => {
  test("garbage collection spares segments that are being uploaded, or are uploaded and not published", async () => {
    const { task, storage, inner } = await openCounter();
    task.count.set("z", 0);
    await task.checkpoint();
    const held = holdSegments(storage);
    const checkpoints = [1, 2, 3].map((i) => {
      task.count.set("k", i);
      task.count.set(`only ${i}`, i);
      return task.checkpoint();
    });
    await atRest();
    at(held, 2).release();
    await atRest();
    at(held, 0).release();
    await checkpoints[0];
    await atRest();
    expect(task.garbageError).toBeUndefined();
    expect(await leavesIn(inner, "segment")).toContain(at(held, 2).leaf);
    at(held, 1).release();
    await Promise.all(checkpoints);
    expect(await restored(inner, 4)).toEqual({ z: 0, k: 3, "only 1": 1, "only 2": 2, "only 3": 3 });
  });

  test("garbage collection spares segments that are visible before their upload has ended", async () => {
    const { task, storage, inner } = await openCounter({ retain: 1 });
    const held = holdSegments(storage);
    const gate = new Gate();
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = task.checkpoint();
    await atRest();
    storage.afterPut = (name) => (name.endsWith(at(held, 1).leaf) ? gate.opened : Promise.resolve());
    at(held, 1).release();
    await atRest();
    expect(await leavesIn(inner, "segment")).toEqual([at(held, 1).leaf]);
    at(held, 0).release();
    await first;
    gate.open();
    await second;
    expect(await restored(inner, 2)).toEqual({ a: 1, b: 2 });
  });

  test("garbage collection spares segments of checkpoints that begin while it looks", async () => {
    const { task, storage, inner } = await openCounter({ retain: 1 });
    const looking = new Gate();
    const isLooking = new Gate();
    const { list } = HookedStorage.prototype;
    storage.list = async function* (prefix) {
      if (prefix.includes("/segment/")) {
        isLooking.open();
        await looking.opened;
      }
      yield* list.call(storage, prefix);
    };
    task.count.set("a", 1);
    const first = task.checkpoint();
    await isLooking.opened;
    task.count.set("b", 2);
    const second = task.checkpoint();
    await atRest();
    looking.open();
    await Promise.all([first, second]);
    expect(await restored(inner, 2)).toEqual({ a: 1, b: 2 });
  });

  test("a crash between uploads and publishing leaves the last published one, whole", async () => {
    const { task, storage, inner } = await openCounter();
    task.count.set("a", 1);
    await task.checkpoint();
    const held = holdSegments(storage);
    task.count.set("b", 2);
    const second = task.checkpoint();
    task.count.set("c", 3);
    const third = task.checkpoint();
    const outcomes = Promise.allSettled([second, third]);
    await atRest();
    at(held, 1).release();
    await atRest();
    const { task: next } = await openCounter({}, inner);
    expect(next.restoredFrom).toBe(1);
    expect([...next.count.keysSync()]).toEqual(["a"]);
    at(held, 0).release();
    await outcomes;
    await expect(second).rejects.toMatchObject({ code: "FENCED" });
    await expect(third).rejects.toMatchObject({ code: "FENCED" });
    next.count.set("d", 4);
    const { id } = await next.checkpoint();
    expect(await restored(inner, id)).toEqual({ a: 1, d: 4 });
  });

  test("an unknown outcome of publishing keeps the later ones from being published", async () => {
    const { task, storage, inner } = await openCounter();
    storage.beforePut = async (name) => {
      if (name.includes("/checkpoint/")) throw new Error("The connection is gone.");
    };
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = task.checkpoint();
    const outcomes = await Promise.allSettled([first, second]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(second).rejects.toMatchObject({ code: "POISONED" });
    expect(await leavesIn(inner, "checkpoint")).toEqual([]);
    expect(() => task.count.set("c", 3)).toThrow(expect.objectContaining({ code: "POISONED" }));
  });

  test("a store that does not take a checkpoint keeps the later ones from being published", async () => {
    const { provider, record } = recordingStores(memoryStore({ cacheBytes: 0 }));
    const inner = memoryStorage();
    const backend: Backend<false> = { name: "store", sync: false, checkpoints: inner, store: provider };
    const task = await openTask(COUNTER, { job: "job", backend, concurrentMax: 2 });
    record.before = async (call) => {
      if (call.startsWith("apply")) throw new StateBackendError("LIMIT_EXCEEDED", "No.");
    };
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
    expect((await first).status).toBe("completed");
    await second;
    expect(task.retained).toEqual([1]);
    expect(await restored(inner, 1)).toEqual({ a: 1 });
  });

  test("a full checkpoint and a savepoint have none beside them", async () => {
    const { task, storage, inner } = await openCounter({ retain: 9 });
    const held = holdSegments(storage);
    const place = memoryStorage();
    const order: string[] = [];
    const note = (name: string) => (info: { readonly id: number }) => order.push(`${name} ${info.id}`);
    task.count.set("k", 1);
    const all = [task.checkpoint().then(note("checkpoint"))];
    task.count.set("k", 2);
    all.push(task.savepoint(place).then(note("savepoint")));
    all.push(task.checkpoint({ full: true }).then(note("full")));
    all.push(task.checkpoint().then(note("checkpoint")));
    await atRest();
    expect(held).toHaveLength(1);
    at(held, 0).release();
    await atRest();
    expect(held).toHaveLength(2);
    at(held, 1).release();
    await Promise.all(all);
    expect(order).toEqual(["checkpoint 1", "savepoint 2", "full 3", "checkpoint 4"]);
    expect(await restored(inner, 3)).toEqual({ k: 2 });
  });

  test("a chain stays short: what would make it too long waits until nothing is under way", async () => {
    const { task, storage, inner } = await openCounter({ concurrentMax: 4, retain: 1 });
    for (let key = 0; key < 500; key++) task.count.set(`base ${key}`, key);
    await task.checkpoint();
    const held = holdSegments(storage);
    const checkpoints: Promise<unknown>[] = [];
    for (let i = 1; i <= 60; i++) {
      task.count.set("k", i);
      checkpoints.push(task.checkpoint());
      await atRest();
      // Three stay under way all the time.
      if (i >= 3) for (const segment of held.slice(0, i - 2)) segment.release();
      await atRest();
    }
    for (const segment of held) segment.release();
    await atRest();
    for (const segment of held) segment.release();
    await Promise.all(checkpoints);
    expect((await leavesIn(inner, "segment")).length).toBeLessThanOrEqual(16);
    expect((await restored(inner, 61))["k"]).toBe(60);
  });

  test("close waits for all that are under way", async () => {
    const { task, storage, inner } = await openCounter();
    const held = holdSegments(storage);
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = task.checkpoint();
    await atRest();
    let isClosed = false;
    const closed = task.close().then(() => {
      isClosed = true;
    });
    at(held, 0).release();
    await first;
    await atRest();
    expect(isClosed).toBe(false);
    at(held, 1).release();
    await closed;
    expect((await second).status).toBe("completed");
    expect(await restored(inner, 2)).toEqual({ a: 1, b: 2 });
  });
});

describe("T86 automatic checkpoints", () => {
  test("begin at each interval while there is room", async () => {
    const { task, storage, clock } = await openCounter({ intervalMs: 1000, concurrentMax: 2 });
    const held = holdSegments(storage);
    for (let i = 1; i <= 3; i++) {
      task.count.set("k", i);
      clock.advance(1000);
      await atRest();
    }
    expect(held).toHaveLength(2);
    at(held, 0).release();
    await atRest();
    clock.advance(1000);
    await atRest();
    expect(held).toHaveLength(3);
    for (const segment of held) segment.release();
    await atRest();
    expect(task.checkpoints.map(({ id, status }) => [id, status])).toEqual([
      [1, "completed"],
      [2, "completed"],
      [3, "completed"],
    ]);
    await task.close();
    expect(clock.pendingCount).toBe(0);
  });

  test.each([{ minPauseMs: 1 }, { asyncSnapshots: false }])("are one at a time with %o", async (options) => {
    const { task, storage, clock } = await openCounter({ intervalMs: 1000, ...options });
    const held = holdSegments(storage);
    for (let i = 1; i <= 3; i++) {
      task.count.set("k", i);
      clock.advance(1000);
      await atRest();
    }
    expect(held).toHaveLength(1);
  });

  test("that fail are counted in the order of their ids", async () => {
    const { task, storage, clock } = await openCounter({ intervalMs: 1000, toleratedFailures: 0 });
    const held = holdSegments(storage);
    task.count.set("k", 1);
    clock.advance(1000);
    await atRest();
    task.count.set("k", 2);
    clock.advance(1000);
    await atRest();
    at(held, 1).fail();
    await atRest();
    expect(task.count.getSync("k")).toBe(2);
    at(held, 0).release();
    await atRest();
    expect(task.checkpoints.map(({ status }) => status)).toEqual(["completed", "failed"]);
    expect(() => task.count.getSync("k")).toThrow(expect.objectContaining({ code: "POISONED" }));
  });
});
