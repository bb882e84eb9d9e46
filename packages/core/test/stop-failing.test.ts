import { describe, expect, test } from "vitest";
import { memoryStorage, StateBackendError } from "../src/index.js";
import { askedRecords } from "./support/asked-records.js";
import { openCounter } from "./support/counter-task.js";
import { atRest, Gate } from "./support/gate.js";
import { holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { objectsOf } from "./support/objects.js";

const failing = async (name: string): Promise<void> => {
  if (name.includes("segment/")) throw new StateBackendError("UNAVAILABLE", "No.");
};

describe("T89 stop that fails", () => {
  test("leaves the job running, says so, and can be tried again", async () => {
    const told: unknown[] = [];
    const listener = {
      aborted: (id: number) => told.push(["aborted", id]),
      stopped: (id: number) => told.push(["stopped", id]),
    };
    const { task, storage } = await openCounter({ listener, intervalMs: 1000 });
    storage.beforePut = failing;
    const { records, send } = askedRecords();
    const processed = task.process(
      records,
      (record) => record,
      (record) => {
        task.count.set(record, 1);
      },
    );
    send(0);
    await atRest();
    const error: unknown = await task.stop().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true, cause: { message: "No." } });
    expect(String(error)).toContain("It goes on.");
    send(1);
    await atRest();
    expect(task.count.getSync("r1")).toBe(1);
    expect(told).toEqual([["aborted", 1]]);
    storage.beforePut = async () => undefined;
    send(2);
    send(3);
    await processed;
    await task.stop();
    expect(told).toEqual([
      ["aborted", 1],
      ["stopped", 2],
    ]);
  });

  test("by a savepoint place that is used: nothing there is touched, and automatic checkpoints go on", async () => {
    const { task, clock } = await openCounter({ intervalMs: 1000 });
    const target = memoryStorage();
    task.count.set("k", 1);
    await task.savepoint(target);
    const before = await objectsOf(target);
    task.count.set("k", 2);
    await expect(task.stop({ savepoint: target })).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
    expect(await objectsOf(target)).toEqual(before);
    clock.advance(1000);
    await atRest();
    expect(task.checkpoints.at(-1)).toMatchObject({ kind: "incremental", status: "completed" });
  });

  test("by its deadline is ABORTED, and a foreign error too", async () => {
    const { task, clock, storage } = await openCounter({ timeoutMs: 1000 });
    const target = new HookedStorage(memoryStorage());
    const held = holdSegments(target);
    task.count.set("k", 1);
    const stopped = expect(task.stop({ savepoint: target })).rejects.toMatchObject({ code: "ABORTED" });
    await atRest();
    expect(held).toHaveLength(1);
    clock.advance(1000);
    await stopped;
    task.count.set("k", 2);
    storage.beforePut = async (name) => {
      if (name.includes("segment/")) throw new Error("foreign");
    };
    await expect(task.stop()).rejects.toMatchObject({ code: "ABORTED", cause: { message: "foreign" } });
    expect(task.count.getSync("k")).toBe(2);
  });

  test("because a handler in flight throws is POISONED: the job does not go on", async () => {
    const { task } = await openCounter();
    const gate = new Gate();
    const failure = new Error("handler");
    const processed = expect(
      task.process(
        ["a"],
        (record) => record,
        async () => {
          await gate.opened;
          throw failure;
        },
      ),
    ).rejects.toBe(failure);
    await atRest();
    const stopped = expect(task.stop()).rejects.toMatchObject({ code: "POISONED" });
    gate.open();
    await processed;
    await stopped;
    expect(task.checkpoints).toEqual([]);
  });

  test("because another owner took over is FENCED", async () => {
    const { task, inner } = await openCounter();
    await openCounter({}, inner);
    task.count.set("k", 1);
    await expect(task.stop()).rejects.toMatchObject({ code: "FENCED" });
    await expect(task.stop({ savepoint: memoryStorage() })).rejects.toMatchObject({ code: "FENCED" });
  });
});
