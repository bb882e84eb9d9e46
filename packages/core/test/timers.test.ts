import { describe, expect, test } from "vitest";
import { defineOperator, KeyGroups, memoryStorage, number, openJob, openTask, string, value } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("timed", {
  key: string(),
  states: { "event-timers": value<number>({ default: 0 }) },
  timers: { namespace: number() },
});

async function open(checkpoints = memoryStorage(), clock = new ManualClock()) {
  const backend = { name: "memory", sync: true, checkpoints } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock });
  const fired: string[] = [];
  return { task, fired, clock, backend };
}

describe("timers", () => {
  test("T53 T54 fire once, by time, key and namespace, those that handlers register included", async () => {
    const { task, fired } = await open();
    task.timers.onFire(({ time, key, namespace }) => {
      fired.push(`${time} ${key} ${namespace}`);
      if (time === 1) task.timers.event.register("z", 2, 0);
    });
    const { event } = task.timers;
    event.register("b", 3, 0);
    event.register("a", 3, 1);
    event.register("a", 3, 0);
    event.register("a", 3, 0);
    event.register("c", 1, 0);
    event.register("d", 2, 0);
    event.delete("d", 2, 0);
    event.register("e", 9, 0);
    await task.advanceWatermark(3);
    expect(fired).toEqual(["1 c 0", "2 z 0", "3 a 0", "3 a 1", "3 b 0"]);
    expect(event.entries()).toEqual([{ time: 9, key: "e", namespace: 0 }]);
    await expect(task.advanceWatermark(2)).rejects.toMatchObject({ code: "VALUE_INVALID" });
    expect(() => event.register("a", 0.5, 0)).toThrow("safe integer");
  });

  test("T55 T56 a barrier in the middle of a firing loses no timer and fires none twice, also after rescaling", async () => {
    const storage = memoryStorage();
    const { task, backend, clock } = await open(storage);
    const gate = new Gate();
    task.timers.onFire(async ({ key, time }) => {
      task.states["event-timers"].set(key, time);
      await gate.opened;
    });
    for (const time of [1, 2, 3]) task.timers.event.register("a", time, 0);
    const advanced = task.advanceWatermark(3);
    await atRest();
    const checkpoint = task.checkpoint();
    gate.open();
    await checkpoint;
    await advanced;
    await task.close();
    const [low, high] = [KeyGroups.of([{ first: 0, last: 63 }]), KeyGroups.of([{ first: 64, last: 127 }])];
    const job = await openJob({
      job: "job",
      backend,
      clock,
      tasks: [
        { operator: OPERATOR, keyGroups: low },
        { operator: OPERATOR, keyGroups: high },
      ],
    });
    const fired: number[] = [];
    for (const part of job.tasks) {
      expect(part.watermark).toBe(3);
      part.timers.onFire(({ time }) => fired.push(time));
      await part.advanceWatermark(3);
    }
    expect(fired).toEqual([2, 3]);
  });

  test("T57 processing timers set one timer of the clock, and none after closing", async () => {
    const { task, fired, clock } = await open();
    const before = clock.pendingCount;
    const start = clock.now();
    task.timers.processing.register("a", start + 50, 0);
    expect(clock.pendingCount).toBe(before);
    task.timers.onFire(({ key }) => void fired.push(key));
    task.timers.processing.register("b", start + 10, 0);
    task.timers.processing.register("c", start + 99, 0);
    expect(clock.pendingCount).toBe(before + 1);
    clock.advance(10);
    await atRest();
    expect(fired).toEqual(["b"]);
    clock.advance(40);
    await atRest();
    expect(fired).toEqual(["b", "a"]);
    expect(clock.pendingCount).toBe(before + 1);
    await task.close();
    expect(clock.pendingCount).toBe(0);
  });

  test("T58 an error of a handler poisons the task", async () => {
    const { task } = await open();
    task.timers.onFire(() => {
      throw new Error("no");
    });
    task.timers.event.register("a", 1, 0);
    await expect(task.advanceWatermark(1)).rejects.toThrow("no");
    expect(() => task.timers.event.size).toThrow("failed in a way");
  });
});
