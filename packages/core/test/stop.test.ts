import { describe, expect, test } from "vitest";
import {
  type CheckpointListener,
  type CheckpointOptions,
  type CheckpointStorage,
  defineOperator,
  KeyGroups,
  memoryStorage,
  openJob,
  openTask,
  string,
  value,
} from "../src/index.js";
import { askedRecords } from "./support/asked-records.js";
import { atRest, Gate } from "./support/gate.js";
import { holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("counter", {
  key: string(),
  states: { count: value({ default: 0 }) },
  timers: true,
  maxParallelism: 4,
});

type Options = CheckpointOptions & { readonly listener?: CheckpointListener };

async function openCounter(options: Options = {}, inner = memoryStorage()) {
  const storage = new HookedStorage(inner);
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock, graceMs: 0, ...options });
  return { task, clock, storage, inner };
}

async function fromSavepoint(from: CheckpointStorage) {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  return openTask(OPERATOR, { job: "reader", backend, clock: new ManualClock(), restore: { savepoint: from } });
}

describe("T87 stop", () => {
  test("waits for the records in flight, admits no other, and the savepoint has exactly what was handled", async () => {
    const { task } = await openCounter();
    const target = memoryStorage();
    const { records, send } = askedRecords();
    const handler = new Gate();
    const handled: string[] = [];
    const admitted: string[] = [];
    const processed = task.process(
      records,
      (record) => record,
      async (record) => {
        await handler.opened;
        task.count.set(record, 1);
        handled.push(record);
      },
      { admitted: (record) => void admitted.push(record) },
    );
    const rejected = expect(processed).rejects.toMatchObject({ code: "CLOSED" });
    send(0);
    send(1);
    await atRest();
    const stopped = task.stop({ savepoint: target });
    send(2);
    await atRest();
    expect(handled).toEqual([]);
    handler.open();
    expect(await stopped).toMatchObject({ kind: "savepoint", status: "completed" });
    send(3);
    await rejected;
    expect(admitted).toEqual(["r0", "r1"]);
    expect(handled).toEqual(["r0", "r1"]);
    expect(() => task.count.getSync("r0")).toThrow(expect.objectContaining({ code: "CLOSED" }));
    const copy = await fromSavepoint(target);
    expect([...copy.count.keysSync()].sort()).toEqual(["r0", "r1"]);
  });

  test("takes a last checkpoint if there is no place for a savepoint", async () => {
    const { task, inner } = await openCounter();
    task.count.set("k", 1);
    await task.checkpoint();
    task.count.set("k", 2);
    expect(await task.stop()).toMatchObject({ id: 2, kind: "incremental", status: "completed" });
    const { task: next } = await openCounter({}, inner);
    expect(next.restoredFrom).toBe(2);
    expect(next.count.getSync("k")).toBe(2);
  });

  test("lets nothing be processed between the barrier and the end", async () => {
    const { task, storage, clock, inner } = await openCounter();
    const fired: number[] = [];
    task.timers.onFire(({ time }) => fired.push(time));
    task.timers.processing.register("k", clock.now() + 100);
    const held = holdSegments(storage);
    const handled: string[] = [];
    task.count.set("k", 1);
    const stopped = task.stop();
    await atRest();
    expect(held).toHaveLength(1);
    const processed = expect(
      task.process(
        ["a"],
        (record) => record,
        (record) => handled.push(record),
      ),
    ).rejects.toMatchObject({ code: "CLOSED" });
    const advanced = expect(task.advanceWatermark(5)).rejects.toMatchObject({ code: "CLOSED" });
    await atRest();
    clock.advance(1000);
    await atRest();
    held[0]?.release();
    await stopped;
    await processed;
    await advanced;
    await atRest();
    expect([handled, fired]).toEqual([[], []]);
    expect(clock.pendingCount).toBe(0);
    const { task: next } = await openCounter({}, inner);
    expect(next.timers.processing.size).toBe(1);
    expect(next.watermark).toBeUndefined();
  });

  test("tells the listener, and takes no automatic checkpoints any more", async () => {
    const told: unknown[] = [];
    const listener = {
      completed: (id: number) => told.push(["completed", id]),
      stopped: (id: number) => told.push(["stopped", id]),
    };
    const { task, clock } = await openCounter({ listener, intervalMs: 1000 });
    task.count.set("k", 1);
    await task.stop();
    expect(told).toEqual([
      ["completed", 1],
      ["stopped", 1],
    ]);
    clock.advance(5000);
    await atRest();
    expect(task.checkpoints.map(({ id }) => id)).toEqual([1]);
    const second = await openCounter({ listener });
    await second.task.stop({ savepoint: memoryStorage() });
    expect(told.slice(2)).toEqual([["stopped", 1]]);
  });

  test("is over although the listener throws: the savepoint is there", async () => {
    const listener = {
      stopped: () => {
        throw new Error("listener");
      },
    };
    const { task } = await openCounter({ listener });
    const target = memoryStorage();
    task.count.set("k", 1);
    await task.stop({ savepoint: target });
    expect((await fromSavepoint(target)).count.getSync("k")).toBe(1);
    expect(() => task.count.getSync("k")).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  test("is joined by a call with the same options, and refuses others until it has ended", async () => {
    const { task, storage } = await openCounter();
    const held = holdSegments(storage);
    task.count.set("k", 1);
    const stopped = task.stop();
    const joined = task.stop({});
    await expect(task.stop({ drain: true })).rejects.toThrow(TypeError);
    await expect(task.stop({ savepoint: memoryStorage() })).rejects.toThrow(TypeError);
    await atRest();
    held[0]?.release();
    expect(await joined).toBe(await stopped);
    await expect(task.stop()).rejects.toMatchObject({ code: "CLOSED" });
    await task.close();
  });

  test("comes after checkpoints under way, and close waits for it", async () => {
    const { task, storage } = await openCounter({ concurrentMax: 3 });
    const held = holdSegments(storage);
    task.count.set("k", 1);
    const first = task.checkpoint();
    task.count.set("k", 2);
    const second = task.checkpoint();
    task.count.set("k", 3);
    const stopped = task.stop();
    await atRest();
    expect(held).toHaveLength(2);
    for (const segment of held) segment.release();
    await Promise.all([first, second]);
    await atRest();
    expect(held).toHaveLength(3);
    const closed = task.close();
    held[2]?.release();
    await closed;
    expect((await stopped).id).toBe(3);
  });

  test("stops all tasks of a job at one barrier", async () => {
    const inner = memoryStorage();
    const job = await openJob({
      job: "job",
      backend: { name: "memory", sync: true, checkpoints: inner } as const,
      tasks: [
        { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 0, last: 1 }]) },
        { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 2, last: 3 }]) },
      ] as const,
    });
    const gate = new Gate();
    const keys = ["a", "b", "c", "d", "e", "f"];
    const processed = job.tasks.map((task) =>
      task.process(
        keys.filter((key) => {
          try {
            return task.count.getSync(key) === 0;
          } catch {
            return false;
          }
        }),
        (key) => key,
        async (key) => {
          await gate.opened;
          task.count.set(key, 1);
        },
      ),
    );
    await atRest();
    const stopped = job.stop();
    gate.open();
    await stopped;
    await Promise.allSettled(processed);
    const { task } = await openCounter({}, inner);
    expect([...task.count.keysSync()].sort()).toEqual(keys);
  });

  test.each([{ drian: true }, { drain: 1 }])("refuses %o", async (options) => {
    const { task } = await openCounter();
    await expect(task.stop(options as object)).rejects.toThrow(TypeError);
    task.count.set("k", 1);
  });
});

describe("T88 stop with drain", () => {
  test("fires all event timers first, those that their handlers register included, and their effects are in the savepoint", async () => {
    const { task } = await openCounter();
    const target = memoryStorage();
    task.timers.onFire(async ({ key, time }) => {
      await Promise.resolve();
      task.count.set(`${key} ${time}`, 1);
      if (time === 10) task.timers.event.register(key, 1_000_000);
    });
    task.timers.event.register("a", 10);
    task.timers.event.register("b", Number.MAX_SAFE_INTEGER);
    await task.advanceWatermark(5);
    await task.stop({ savepoint: target, drain: true });
    const copy = await fromSavepoint(target);
    expect([...copy.count.keysSync()].sort()).toEqual(["a 10", "a 1000000", `b ${Number.MAX_SAFE_INTEGER}`]);
    expect(copy.timers.event.size).toBe(0);
    expect(copy.watermark).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("does not fire them without it", async () => {
    const { task } = await openCounter();
    const target = memoryStorage();
    task.timers.event.register("a", 10);
    await task.stop({ savepoint: target });
    expect((await fromSavepoint(target)).timers.event.size).toBe(1);
  });

  test("admits no record while timers fire", async () => {
    const { task } = await openCounter();
    const gate = new Gate();
    task.timers.onFire(() => gate.opened);
    task.timers.event.register("a", 10);
    const stopped = task.stop({ drain: true });
    const handled: string[] = [];
    const processed = expect(
      task.process(
        ["r"],
        (record) => record,
        (record) => handled.push(record),
      ),
    ).rejects.toMatchObject({ code: "CLOSED" });
    await atRest();
    gate.open();
    await stopped;
    await processed;
    expect(handled).toEqual([]);
  });

  test("is refused if nobody handles the timers: nothing has changed, and the job goes on", async () => {
    const { task } = await openCounter();
    task.timers.event.register("a", 10);
    await expect(task.stop({ drain: true })).rejects.toThrow(TypeError);
    expect(task.watermark).toBeUndefined();
    await task.process(
      ["r"],
      (record) => record,
      (record) => {
        task.count.set(record, 1);
      },
    );
    expect(task.count.getSync("r")).toBe(1);
    expect(task.checkpoints).toEqual([]);
  });
});
