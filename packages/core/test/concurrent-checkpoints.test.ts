import { describe, expect, test } from "vitest";
import { type CheckpointStorage, memoryStorage, openJob, openTask, StateBackendError } from "../src/index.js";
import { KeyGroups } from "../src/key/key-groups.js";
import { at, COUNTER, leavesIn, openCounter, restored } from "./support/counter-task.js";
import { atRest, Gate } from "./support/gate.js";
import { holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";

describe("T82 concurrent checkpoints", () => {
  test("have their barriers while earlier ones are under way, and each has what was written before its own", async () => {
    const { task, storage, inner } = await openCounter({ retain: 3 });
    const held = holdSegments(storage);
    const ends: number[] = [];
    const checkpoints = [1, 2, 3].map((i) => {
      task.count.set("k", i);
      task.count.set(`only ${i}`, i);
      return task.checkpoint().then(({ id }) => ends.push(id));
    });
    await atRest();
    expect(held).toHaveLength(3);
    at(held, 2).release();
    await atRest();
    at(held, 1).release();
    await atRest();
    expect(ends).toEqual([]);
    expect(await leavesIn(inner, "checkpoint")).toEqual([]);
    at(held, 0).release();
    await Promise.all(checkpoints);
    expect(ends).toEqual([1, 2, 3]);
    expect(await restored(inner, 1)).toEqual({ k: 1, "only 1": 1 });
    expect(await restored(inner, 2)).toEqual({ k: 2, "only 1": 1, "only 2": 2 });
    expect(await restored(inner, 3)).toEqual({ k: 3, "only 1": 1, "only 2": 2, "only 3": 3 });
  });

  test.each([1, 2, 3, 4])("are at most %i at one time; the next waits for a place", async (concurrentMax) => {
    const { task, storage } = await openCounter({ concurrentMax });
    const held = holdSegments(storage);
    const checkpoints = [1, 2, 3, 4, 5, 6].map((i) => {
      task.count.set("k", i);
      return task.checkpoint();
    });
    await atRest();
    expect(held).toHaveLength(concurrentMax);
    at(held, 0).release();
    await atRest();
    // Its barrier takes all that was written for those who wait behind it, so that they have nothing to upload.
    expect(held).toHaveLength(concurrentMax + 1);
    for (let i = 0; i < held.length; i++) {
      at(held, i).release();
      await atRest();
    }
    const ids = (await Promise.all(checkpoints)).map(({ id }) => id);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("of several tasks stand on the same barrier", async () => {
    const inner = memoryStorage();
    const storage = new HookedStorage(inner);
    const open = (checkpoints: CheckpointStorage, restore?: number) =>
      openJob({
        job: "job",
        backend: { name: "memory", sync: true, checkpoints } as const,
        ...(restore === undefined ? {} : { restore: { from: inner, job: "job", checkpoint: restore } }),
        concurrentMax: 2,
        retain: 2,
        tasks: [
          { operator: COUNTER, keyGroups: KeyGroups.of([{ first: 0, last: 1 }]) },
          { operator: COUNTER, keyGroups: KeyGroups.of([{ first: 2, last: 3 }]) },
        ] as const,
      });
    const job = await open(storage);
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const put = (i: number): void => {
      for (const key of keys) {
        for (const task of job.tasks) {
          try {
            task.count.set(key, i);
          } catch (error) {
            expect(error).toMatchObject({ code: "KEY_NOT_OWNED" });
          }
        }
      }
    };
    const held = holdSegments(storage);
    put(1);
    const first = job.checkpoint();
    put(2);
    const second = job.checkpoint();
    await atRest();
    for (const segment of [...held].reverse()) {
      segment.release();
      await atRest();
    }
    await Promise.all([first, second]);
    for (const id of [1, 2]) {
      const copy = await open(memoryStorage(), id);
      const found = copy.tasks.flatMap((task) =>
        [...task.count.keysSync()].map((key) => [key, task.count.getSync(key)]),
      );
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(keys.map((key) => [key, id])));
    }
  });

  test("deletions and cleared maps are in the checkpoints after which they came, and in no other", async () => {
    const { task, storage, inner } = await openCounter({ retain: 3 });
    const held = holdSegments(storage);
    task.fields.set("m", "x", 1);
    task.count.set("k", 1);
    const first = task.checkpoint();
    task.fields.clear("m");
    task.fields.set("m", "y", 2);
    task.count.delete("k");
    const second = task.checkpoint();
    task.fields.delete("m", "y");
    task.fields.set("m", "x", 3);
    task.count.set("k", 3);
    const third = task.checkpoint();
    await atRest();
    for (const segment of [...held].reverse()) segment.release();
    await Promise.all([first, second, third]);
    const read = async (checkpoint: number) => {
      const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
      const copy = await openTask(COUNTER, { job: "r", backend, restore: { from: inner, job: "job", checkpoint } });
      return { count: copy.count.getSync("k"), fields: [...copy.fields.entriesSync("m")] };
    };
    expect(await read(1)).toEqual({ count: 1, fields: [["x", 1]] });
    expect(await read(2)).toEqual({ count: 0, fields: [["y", 2]] });
    expect(await read(3)).toEqual({ count: 3, fields: [["x", 3]] });
  });

  test("rows that a later one has frozen stay as they are when an earlier one completes", async () => {
    const { task, storage, inner } = await openCounter({ retain: 2 });
    const held = holdSegments(storage);
    task.fields.set("m", "x", 1);
    const first = task.checkpoint();
    task.fields.set("m", "x", 2);
    const second = task.checkpoint();
    await atRest();
    at(held, 0).release();
    await first;
    task.fields.set("m", "x", 3);
    at(held, 1).release();
    await second;
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const copy = await openTask(COUNTER, { job: "r", backend, restore: { from: inner, job: "job", checkpoint: 2 } });
    expect(copy.fields.getSync("m", "x")).toBe(2);
  });

  test("with concurrentMax 1 begin one after the other", async () => {
    const { task, storage } = await openCounter({ concurrentMax: 1 });
    const held = holdSegments(storage);
    task.count.set("k", 1);
    const first = task.checkpoint();
    task.count.set("k", 2);
    const second = task.checkpoint();
    await atRest();
    expect(held).toHaveLength(1);
    at(held, 0).release();
    await first;
    await atRest();
    at(held, 1).release();
    expect((await second).id).toBe(2);
  });
});

describe("T83 an aborted one of several checkpoints", () => {
  test.each([
    ["first", 0],
    ["second", 1],
    ["third", 2],
  ])("is in the next that completes: the %s", async (_, failing) => {
    const told: unknown[] = [];
    const listener = {
      completed: (id: number) => told.push(["completed", id]),
      aborted: (id: number) => told.push(["aborted", id]),
    };
    const { task, storage, inner } = await openCounter({ retain: 4, listener });
    const held = holdSegments(storage);
    const checkpoints = [1, 2, 3].map((i) => {
      task.count.set("k", i);
      task.count.set(`only ${i}`, i);
      return task.checkpoint();
    });
    const outcomes = Promise.allSettled(checkpoints);
    await atRest();
    at(held, failing).fail();
    await atRest();
    for (const segment of [...held].reverse()) segment.release();
    await atRest();
    for (const segment of held) segment.release();
    const statuses = (await outcomes).map(({ status }) => status === "fulfilled");
    expect(statuses).toEqual([0, 1, 2].map((i) => i !== failing));
    expect(told).toEqual([0, 1, 2].map((i) => [i === failing ? "aborted" : "completed", i + 1]));
    expect(task.checkpoints.map(({ id }) => id)).toEqual([1, 2, 3]);
    task.count.set("only 4", 4);
    const last = task.checkpoint();
    await atRest();
    for (const segment of held) segment.release();
    await last;
    for (const id of task.retained) {
      const expected = Object.fromEntries([1, 2, 3, 4].filter((i) => i <= id).map((i) => [`only ${i}`, i]));
      expect(await restored(inner, id)).toEqual({ k: Math.min(id, 3), ...expected });
    }
  });

  test("whose upload had ended is not uploaded again", async () => {
    const { task, storage, inner } = await openCounter({ retain: 3 });
    const held = holdSegments(storage);
    const { beforePut } = storage;
    storage.beforePut = async (name) => {
      if (name.endsWith("/checkpoint/0000000000000002-0000000000000001")) {
        throw new StateBackendError("UNAVAILABLE", "No.");
      }
      await beforePut(name);
    };
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = task.checkpoint();
    task.count.set("c", 3);
    const third = task.checkpoint();
    await atRest();
    for (const segment of held) segment.release();
    const outcomes = await Promise.allSettled([first, second, third]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(held).toHaveLength(3);
    expect(await restored(inner, 3)).toEqual({ a: 1, b: 2, c: 3 });
    const segments = await leavesIn(inner, "segment");
    expect(segments.sort()).toEqual(held.map(({ leaf }) => leaf).sort());
  });

  test("by its deadline: the first of three makes way for the others", async () => {
    const { task, storage, inner, clock } = await openCounter({ retain: 3, timeoutMs: 1000 });
    const held = holdSegments(storage);
    task.count.set("a", 1);
    const first = task.checkpoint();
    const refused = expect(first).rejects.toMatchObject({ code: "ABORTED" });
    await atRest();
    clock.advance(500);
    task.count.set("b", 2);
    const second = task.checkpoint();
    task.count.set("c", 3);
    const third = task.checkpoint();
    await atRest();
    at(held, 1).release();
    at(held, 2).release();
    await atRest();
    expect(task.retained).toEqual([]);
    clock.advance(500);
    await refused;
    await atRest();
    // What the first had frozen is uploaded anew, by the second.
    expect(held).toHaveLength(4);
    at(held, 3).release();
    await Promise.all([second, third]);
    expect(task.retained).toEqual([2, 3]);
    at(held, 0).release();
    await atRest();
    expect(await restored(inner, 2)).toEqual({ a: 1, b: 2 });
    expect(await restored(inner, 3)).toEqual({ a: 1, b: 2, c: 3 });
    await task.checkpoint();
    expect(await leavesIn(inner, "segment")).not.toContain(at(held, 0).leaf);
    expect(clock.pendingCount).toBe(0);
  });

  test("whose time is up while it waits for earlier ones is not aborted: its upload has ended", async () => {
    const { task, storage, clock } = await openCounter({ timeoutMs: 1000 });
    const gate = new Gate();
    storage.beforePut = (name) => (name.includes("/checkpoint/") ? gate.opened : Promise.resolve());
    task.count.set("a", 1);
    const first = task.checkpoint();
    task.count.set("b", 2);
    const second = task.checkpoint();
    await atRest();
    clock.advance(5000);
    await atRest();
    gate.open();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual(["completed", "completed"]);
  });
});

test.each([0, 5, 1.5, -1, "2"])("T82 concurrentMax=%s is refused", async (concurrentMax) => {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  const opened = openTask(COUNTER, { job: "job", backend, concurrentMax: concurrentMax as number });
  await expect(opened).rejects.toThrow(RangeError);
});
