import { channel } from "node:diagnostics_channel";
import { describe, expect, test } from "vitest";
import {
  broadcast,
  type CheckpointOptions,
  defineOperator,
  list,
  map,
  memoryStorage,
  namespaced,
  openJob,
  openTask,
  reducing,
  splitList,
  StateBackendError,
  string,
  type TelemetryMessages,
  value,
} from "../src/index.js";
import { ValueHandle } from "../src/state/value-handle.js";
import { Gate } from "./support/gate.js";
import { hear } from "./support/heard.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });
const NAMES = [
  "tidemark:checkpoint:start",
  "tidemark:checkpoint:end",
  "tidemark:checkpoint:subsumed",
  "tidemark:restore",
  "tidemark:state:access",
  "tidemark:memory",
] as const satisfies readonly (keyof TelemetryMessages)[];

async function openCounter(options: CheckpointOptions = {}, inner = memoryStorage()) {
  const storage = new HookedStorage(inner);
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock, graceMs: 0, ...options });
  return { task, clock, storage, backend };
}

const failing = async (name: string): Promise<void> => {
  if (name.includes("/segment/")) throw new StateBackendError("UNAVAILABLE", "No.");
};

describe("checkpoints", () => {
  test("T100 every checkpoint that ends is a start and an end with the figures of its CheckpointInfo", async () => {
    const heard = hear("tidemark:checkpoint:start", "tidemark:checkpoint:end");
    const { task, clock, storage } = await openCounter();
    storage.beforePut = async () => clock.advance(3);
    for (const full of [false, true]) {
      heard.length = 0;
      task.count.set("k", 1);
      const info = await task.checkpoint({ full });
      const { id, kind } = info;
      expect(info.durationMs).toBeGreaterThan(0);
      expect(heard).toEqual([
        { name: "tidemark:checkpoint:start", message: { job: "job", id, kind } },
        { name: "tidemark:checkpoint:end", message: { job: "job", ...info, error: undefined } },
      ]);
    }
    heard.length = 0;
    const savepoint = await task.savepoint(memoryStorage());
    expect(savepoint.kind).toBe("savepoint");
    expect(heard.at(-1)?.message).toEqual({ job: "job", ...savepoint, error: undefined });
  });

  test("T100 a failed checkpoint ends with its error", async () => {
    const { task, storage } = await openCounter();
    const heard = hear("tidemark:checkpoint:start", "tidemark:checkpoint:end");
    storage.beforePut = failing;
    task.count.set("k", 1);
    const error = await task.checkpoint().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StateBackendError);
    const [start, end] = heard.map(({ message }) => message);
    expect(heard).toHaveLength(2);
    expect(start).toEqual({ job: "job", id: 1, kind: "incremental" });
    expect(end).toMatchObject({ id: 1, status: "failed", fullBytes: 0, incrementalBytes: 0, error });
  });

  test("T100 the start comes at the barrier, before anything is stored", async () => {
    const { task, storage } = await openCounter();
    const heard = hear("tidemark:checkpoint:start", "tidemark:checkpoint:end");
    const gate = new Gate();
    storage.beforePut = () => gate.opened;
    task.count.set("k", 1);
    const checkpoint = task.checkpoint();
    expect(heard.map(({ name }) => name)).toEqual(["tidemark:checkpoint:start"]);
    gate.open();
    await checkpoint;
    expect(heard).toHaveLength(2);
  });

  test.each([1, 2])(
    "T101 with retain %i each checkpoint that is replaced is told once, before the end",
    async (retain) => {
      const { task } = await openCounter({ retain });
      const heard = hear("tidemark:checkpoint:subsumed", "tidemark:checkpoint:end");
      for (let i = 1; i <= 4; i++) {
        task.count.set("k", i);
        await task.checkpoint();
      }
      const subsumed = heard.filter(({ name }) => name === "tidemark:checkpoint:subsumed");
      const expected = [1, 2, 3, 4].slice(0, -retain).map((id) => ({ job: "job", id, by: id + retain }));
      expect(subsumed.map(({ message }) => message)).toEqual(expected);
      expect(heard.at(-2)).toEqual(subsumed.at(-1));
    },
  );
});

describe("restore", () => {
  test("T102 opening from a checkpoint is told with what it read; opening without is not", async () => {
    const heard = hear("tidemark:restore");
    const inner = memoryStorage();
    const { task } = await openCounter({}, inner);
    expect(heard).toEqual([]);
    task.count.set("k", 1);
    const info = await task.checkpoint();
    await task.close();
    const clock = new ManualClock();
    const checkpoints = new HookedStorage(inner);
    checkpoints.beforePut = async () => clock.advance(2);
    await openTask(OPERATOR, { job: "job", backend: { name: "memory", sync: true, checkpoints }, clock });
    expect(heard.map(({ message }) => message)).toEqual([
      { job: "job", checkpoint: info.id, durationMs: 4, bytes: info.fullBytes },
    ]);
    expect(info.fullBytes).toBeGreaterThan(0);
  });
});

describe("state access", () => {
  const states = {
    count: value({ default: 0 }),
    items: list<string>(),
    fields: map<string, number>({ field: string() }),
    sum: reducing<number>((a, b) => a + b),
    windows: namespaced(string(), value({ default: 0 })),
    offsets: splitList<number>(),
    rules: broadcast<string, number>({ field: string() }),
  };
  const everything = defineOperator("all", { key: string(), states });
  const open = () =>
    openTask(everything, {
      job: "job",
      backend: { name: "memory", sync: true, checkpoints: memoryStorage() },
    });

  test("T103 of each operation of each state the first call in 64 is told", async () => {
    const heard = hear("tidemark:state:access");
    const task = await open();
    for (let i = 0; i < 65; i++) task.count.set("k", task.count.getSync("k") + 1);
    expect(task.count.getSync("k")).toBe(65);
    task.items.add("k", "a");
    const told = heard.map(({ message: { job, operator, state, operation } }) =>
      [job, operator, state, operation].join(" "),
    );
    const [get, set] = ["job all count getSync", "job all count set"];
    expect(told).toEqual([get, set, get, set, "job all items add"]);
    for (const { message } of heard) expect(message.durationNs).toBeGreaterThanOrEqual(0);
  });

  test("T103 a call that gives a promise is told when it has settled, one that throws as it throws", async () => {
    const task = await (hear("tidemark:state:access"), open());
    const heard = hear("tidemark:state:access");
    const gate = new Gate();
    const updated = task.count.update("k", async (n) => {
      await gate.opened;
      return n + 1;
    });
    expect(heard).toEqual([]);
    gate.open();
    await updated;
    expect(heard.map(({ message }) => message.operation)).toEqual(["update"]);
    expect(() => task.count.set("k", (() => 1) as unknown as number)).toThrow(
      expect.objectContaining({ code: "VALUE_INVALID" }),
    );
    expect(heard.map(({ message }) => message.operation)).toEqual(["update", "set"]);
  });

  test("T103 a sampled handle gives what a handle gives, for every kind of state", async () => {
    const results: unknown[] = [];
    for (const isHeard of [false, true]) {
      const heard = isHeard ? hear("tidemark:state:access") : [];
      const task = await open();
      task.items.addAll("k", ["a", "b"]);
      task.fields.set("k", "f", 1);
      await task.sum.add("k", 2);
      task.sum.addSync("k", 3);
      task.windows.in("w").set("k", 4);
      task.offsets.add(5);
      task.rules.set("r", 6);
      results.push([
        await task.items.get("k"),
        [...task.fields.entriesSync("k")],
        [...task.items.keysSync()],
        task.sum.getSync("k"),
        task.windows.in("w").getSync("k"),
        task.windows.in("v").getSync("k"),
        task.offsets.get(),
        [...task.rules.entries()],
      ]);
      expect(new Set(heard.map(({ message }) => message.state)).size).toBe(isHeard ? 6 : 0);
    }
    expect(results[1]).toEqual(results[0]);
  });
});

test("T104 memory is told at each barrier and each end, and is what `ready` goes by", async () => {
  const { task } = await openCounter({ memoryBytes: 100_000 });
  const heard = hear("tidemark:checkpoint:start", "tidemark:checkpoint:end", "tidemark:memory");
  task.count.set("k", 1);
  await task.checkpoint();
  expect(heard.map(({ name }) => name)).toEqual([
    "tidemark:checkpoint:start",
    "tidemark:memory",
    "tidemark:checkpoint:end",
    "tidemark:memory",
  ]);
  const [atBarrier, atEnd] = heard.filter(({ name }) => name === "tidemark:memory").map(({ message }) => message);
  expect(atBarrier).toMatchObject({ job: "job", cacheBytes: 0, limitBytes: 100_000 });
  expect(atBarrier?.memtableBytes).toBeGreaterThan(0);
  expect(atEnd).toEqual({ job: "job", memtableBytes: 0, cacheBytes: 0, limitBytes: 100_000 });
});

describe("listeners", () => {
  test("T105 without a subscriber nothing is made, and a handle is the bare one", async () => {
    for (const name of NAMES) expect(channel(name).hasSubscribers).toBe(false);
    const { task } = await openCounter();
    expect(task.count).toBeInstanceOf(ValueHandle);
    const heard = hear(...NAMES);
    task.count.set("k", 1);
    // Who subscribes when the job is open hears of its checkpoints, not of calls of its states.
    await task.checkpoint();
    expect(heard.map(({ name }) => name)).not.toContain("tidemark:state:access");
    expect(heard.map(({ name }) => name)).toContain("tidemark:checkpoint:end");
  });

  test("T105 every message is a frozen plain object with the name of its job", async () => {
    const heard = hear(...NAMES);
    const { task, backend } = await openCounter();
    for (let i = 0; i < 2; i++) {
      task.count.set("k", i);
      await task.checkpoint();
    }
    await task.close();
    await openJob({ job: "job", backend, tasks: [{ operator: OPERATOR }] });
    expect(new Set(heard.map(({ name }) => name))).toEqual(new Set(NAMES));
    for (const { message } of heard) {
      expect(Object.isFrozen(message)).toBe(true);
      expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
      expect(message.job).toBe("job");
    }
  });
});
