import { describe, expect, test } from "vitest";
import {
  aggregating,
  type CheckpointStorage,
  defineOperator,
  type KeyCodec,
  list,
  map,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  string,
  type SyncMapState,
  type SyncValueState,
  type TtlOptions,
  value,
} from "../src/index.js";
import { KeyGroups } from "../src/key/key-groups.js";
import { bindState } from "../src/state/bind.js";
import { Epoch } from "../src/table/epoch.js";
import { TaskTime } from "../src/table/task-time.js";
import { ManualClock } from "./support/manual-clock.js";

const MS = 100;
const SUM = { create: () => 0, add: (input: number, sum: number) => sum + input, result: (sum: number) => sum };

async function opened(ttl: TtlOptions | undefined, storage: CheckpointStorage, clock: ManualClock) {
  const option = ttl === undefined ? {} : { ttl };
  const states = {
    value: value<number>(option),
    list: list<number>(option),
    map: map<string, number>(option),
    reducing: reducing<number>((a, b) => a + b, option),
    aggregating: aggregating(SUM, option),
    spaced: namespaced(string(), value<number>(option)),
  };
  const operator = defineOperator("ttl", { key: string(), states });
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  return openTask(operator, { job: "job", backend, clock, graceMs: 0 });
}

type Opened = Awaited<ReturnType<typeof opened>>;

interface Kind {
  readonly name: string;
  readonly write: (task: Opened, key: string) => void;
  readonly read: (task: Opened, key: string) => unknown;
  readonly keys: (task: Opened) => Iterable<string>;
}

const KINDS: readonly Kind[] = [
  {
    name: "value",
    write: (t, k) => t.value.set(k, 7),
    read: (t, k) => t.value.getSync(k),
    keys: (t) => t.value.keysSync(),
  },
  {
    name: "list",
    write: (t, k) => t.list.set(k, [7]),
    read: (t, k) => t.list.getSync(k)[0],
    keys: (t) => t.list.keysSync(),
  },
  {
    name: "map",
    write: (t, k) => t.map.set(k, "f", 7),
    read: (t, k) => t.map.getSync(k, "f"),
    keys: (t) => t.map.keysSync(),
  },
  {
    name: "reducing",
    write: (t, k) => t.reducing.addSync(k, 7),
    read: (t, k) => t.reducing.getSync(k),
    keys: (t) => t.reducing.keysSync(),
  },
  {
    name: "aggregating",
    write: (t, k) => t.aggregating.addSync(k, 7),
    read: (t, k) => t.aggregating.getSync(k),
    keys: (t) => t.aggregating.keysSync(),
  },
  {
    name: "namespaced value",
    write: (t, k) => t.spaced.in("n").set(k, 7),
    read: (t, k) => t.spaced.in("n").getSync(k),
    keys: (t) => t.spaced.in("n").keysSync(),
  },
];

describe.each(KINDS)("$name with a time to live", ({ write, read, keys }) => {
  async function start(ttl: Partial<TtlOptions> = {}) {
    const clock = new ManualClock();
    const storage = memoryStorage();
    const open = () => opened({ ms: MS, ...ttl }, storage, clock);
    let task = await open();
    const reopen = async () => {
      await task.checkpoint();
      await task.close();
      task = await open();
      return task;
    };
    return { clock, task, reopen };
  }

  test("T43 expires at exactly its stamp plus ms, also over restores", async () => {
    const { clock, task, reopen } = await start();
    write(task, "k");
    clock.advance(MS - 1);
    expect(read(await reopen(), "k")).toBe(7);
    const again = await reopen();
    clock.advance(1);
    expect([...keys(again)]).toEqual([]);
    expect(read(again, "k")).toBeUndefined();
    write(again, "k");
    expect(read(await reopen(), "k")).toBe(7);
  });

  test("T44 a read renews if reads are to, and only then", async () => {
    for (const update of ["on-create-and-write", "on-read-and-write"] as const) {
      const { clock, task, reopen } = await start({ update });
      write(task, "k");
      clock.advance(MS - 1);
      read(task, "k");
      const again = await reopen();
      clock.advance(MS - 1);
      expect(read(again, "k")).toBe(update === "on-read-and-write" ? 7 : undefined);
    }
  });

  test("T45 the first read may give what has expired, and removes it", async () => {
    const { clock, task } = await start({ visibility: "return-expired-if-not-cleaned-up" });
    write(task, "k");
    clock.advance(MS);
    expect(read(task, "k")).toBe(7);
    expect(read(task, "k")).toBeUndefined();
  });

  test("T46 a clock that is set back brings nothing back, also over a restore", async () => {
    const { clock, task, reopen } = await start();
    write(task, "k");
    clock.advance(MS);
    expect(read(task, "k")).toBeUndefined();
    const again = await reopen();
    clock.advance(-10 * MS);
    expect(read(again, "k")).toBeUndefined();
    expect(read(await reopen(), "k")).toBeUndefined();
  });

  test("T43 the longest time to live does not overflow", async () => {
    const { clock, task, reopen } = await start({ ms: Number.MAX_SAFE_INTEGER });
    write(task, "k");
    clock.advance(1e12);
    expect(read(await reopen(), "k")).toBe(7);
  });

  test("T47 an older value that has not expired does not come back when a newer one is left out", async () => {
    const { clock, task, reopen } = await start({ ms: MS });
    write(task, "k");
    for (let i = 0; i < 20; i++) {
      write(task, `other ${i}`);
      await task.checkpoint();
    }
    clock.advance(MS);
    await task.checkpoint({ full: true });
    expect([...keys(await reopen())]).toEqual([]);
  });
});

test("T47 a full checkpoint leaves out what has expired", async () => {
  const clock = new ManualClock();
  const task = await opened({ ms: MS }, memoryStorage(), clock);
  for (let i = 0; i < 1000; i++) {
    task.value.set(`k${i}`, i);
    task.map.set(`k${i}`, "f", i);
  }
  const before = await task.checkpoint({ full: true });
  clock.advance(MS);
  const after = await task.checkpoint({ full: true });
  expect(after).toMatchObject({ status: "completed" });
  expect((after.fullBytes ?? 0) * 10).toBeLessThan(before.fullBytes ?? 0);
});

test("T48 writes alone remove all that has expired", () => {
  const clock = new ManualClock();
  const time = new TaskTime(clock);
  const binding = {
    stateId: 0,
    key: string() as unknown as KeyCodec<unknown>,
    groups: KeyGroups.all(128),
    maxParallelism: 128,
    epoch: new Epoch(1),
    time,
  };
  for (const kind of [value<number>({ ttl: { ms: MS } }), map<string, number>({ ttl: { ms: MS } })]) {
    const { table, handle } = bindState(kind, binding);
    const write = (key: string): void => {
      if (kind.kind === "map") (handle as SyncMapState<string, string, number>).set(key, "f", 1);
      else (handle as SyncValueState<string, number, number>).set(key, 1);
    };
    for (let i = 0; i < 500; i++) write(`k${i}`);
    clock.advance(MS);
    for (let i = 0; i < 1000; i++) write("other");
    expect(table.liveRows).toBe(1);
  }
});

test("T51 by event time values expire by the watermark, and not those stamped before the first", () => {
  const time = new TaskTime(new ManualClock());
  const binding = {
    stateId: 0,
    key: string() as unknown as KeyCodec<unknown>,
    groups: KeyGroups.all(128),
    maxParallelism: 128,
    epoch: new Epoch(1),
    time,
  };
  const { handle } = bindState(value<number>({ ttl: { ms: MS, time: "event" } }), binding);
  const state = handle as SyncValueState<string, number, number | undefined>;
  state.set("early", 1);
  time.advance(1000);
  state.set("k", 2);
  time.advance(1000 + MS - 1);
  expect(state.getSync("k")).toBe(2);
  time.advance(1000 + MS);
  expect(state.getSync("k")).toBeUndefined();
  time.advance(1e9);
  expect(state.getSync("early")).toBe(1);
});

test.each(KINDS)("T49 the time to live of $name can be turned on and off", async ({ write, read }) => {
  const clock = new ManualClock();
  const storage = memoryStorage();
  let task = await opened(undefined, storage, clock);
  const reopen = async (ttl: TtlOptions | undefined) => {
    await task.checkpoint();
    await task.close();
    task = await opened(ttl, storage, clock);
  };
  write(task, "k");
  clock.advance(10 * MS);
  await reopen({ ms: MS });
  clock.advance(MS - 1);
  await reopen({ ms: MS });
  expect(read(task, "k")).toBe(7);
  write(task, "kept");
  clock.advance(1);
  expect(read(task, "k")).toBeUndefined();
  write(task, "expired");
  clock.advance(MS - 2);
  write(task, "late");
  clock.advance(2);
  await reopen(undefined);
  clock.advance(100 * MS);
  await reopen(undefined);
  expect(["kept", "expired", "late"].map((key) => read(task, key))).toEqual([undefined, undefined, 7]);
});

test("T49 another kind of time is refused", async () => {
  const clock = new ManualClock();
  const storage = memoryStorage();
  const task = await opened({ ms: MS }, storage, clock);
  await task.checkpoint();
  await task.close();
  await expect(opened({ ms: MS, time: "event" }, storage, clock)).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
});

test("T50 a ttl that cannot be is refused when it is declared", () => {
  for (const ms of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => value({ ttl: { ms } })).toThrow(RangeError);
  expect(() => value({ ttl: { ms: 1, cleanup: 1 } as TtlOptions })).toThrow(TypeError);
  expect(() => list({ ttl: { ms: 1, time: "wall" as "event" } })).toThrow(TypeError);
});
