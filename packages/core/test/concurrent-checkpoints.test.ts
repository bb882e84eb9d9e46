import { describe, expect, test } from "vitest";
import {
  type Backend,
  type CheckpointListener,
  type CheckpointOptions,
  type CheckpointStorage,
  defineOperator,
  map,
  memoryStorage,
  memoryStore,
  openJob,
  openTask,
  StateBackendError,
  string,
  value,
} from "../src/index.js";
import { KeyGroups } from "../src/key/key-groups.js";
import { atRest, Gate } from "./support/gate.js";
import { type HeldSegment, holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { objectsOf } from "./support/objects.js";
import { recordingStores } from "./support/recording-store.js";

const OPERATOR = defineOperator("counter", {
  key: string(),
  states: { count: value({ default: 0 }), fields: map({ field: string() }) },
  maxParallelism: 4,
});

type Options = CheckpointOptions & { readonly listener?: CheckpointListener };

async function openCounter(options: Options = {}, inner = memoryStorage()) {
  const storage = new HookedStorage(inner);
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock, graceMs: 0, concurrentMax: 3, ...options });
  return { task, clock, storage, inner };
}

/** What a checkpoint holds, read from a place that may have gone on since. */
async function restored(inner: CheckpointStorage, checkpoint: number): Promise<Record<string, number>> {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  const task = await openTask(OPERATOR, { job: "reader", backend, restore: { from: inner, job: "job", checkpoint } });
  const found = Object.fromEntries([...task.count.keysSync()].map((key) => [key, task.count.getSync(key)]));
  await task.close();
  return found;
}

const at = (held: readonly HeldSegment[], index: number): HeldSegment => held[index] as HeldSegment;

async function leavesIn(inner: CheckpointStorage, kind: "segment" | "checkpoint"): Promise<string[]> {
  const names = [...(await objectsOf(inner)).keys()].filter((name) => name.includes(`/${kind}/`));
  return names.map((name) => name.slice(name.lastIndexOf("/") + 1));
}

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
          { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 0, last: 1 }]) },
          { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 2, last: 3 }]) },
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
      const copy = await openTask(OPERATOR, { job: "r", backend, restore: { from: inner, job: "job", checkpoint } });
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
    const copy = await openTask(OPERATOR, { job: "r", backend, restore: { from: inner, job: "job", checkpoint: 2 } });
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
    const task = await openTask(OPERATOR, { job: "job", backend, concurrentMax: 2 });
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

test.each([0, 5, 1.5, -1, "2"])("T82 concurrentMax=%s is refused", async (concurrentMax) => {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  const opened = openTask(OPERATOR, { job: "job", backend, concurrentMax: concurrentMax as number });
  await expect(opened).rejects.toThrow(RangeError);
});
