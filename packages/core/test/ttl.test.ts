import { describe, expect, test } from "vitest";
import {
  aggregating,
  type CheckpointStorage,
  defineOperator,
  list,
  map,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  string,
  type TtlOptions,
  value,
} from "../src/index.js";
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

test("T49 turning the time to live on or off is refused", async () => {
  const clock = new ManualClock();
  const storage = memoryStorage();
  const task = await opened(undefined, storage, clock);
  task.value.set("k", 1);
  await task.checkpoint();
  await task.close();
  await expect(opened({ ms: MS }, storage, clock)).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
});

test("T50 a ttl that cannot be is refused when it is declared", () => {
  for (const ms of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => value({ ttl: { ms } })).toThrow(RangeError);
  expect(() => value({ ttl: { ms: 1, cleanup: 1 } as TtlOptions })).toThrow(TypeError);
  expect(() => list({ ttl: { ms: 1, time: "wall" as "event" } })).toThrow(TypeError);
});
