/** Time to live together with what else there is: watermarks, merged namespaces, many fields at once. */

import { expect, test } from "vitest";
import {
  defineOperator,
  evolved,
  former,
  integer,
  list,
  type ListDescriptor,
  map,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  string,
  text,
  value,
  type ValueDescriptor,
} from "../src/index.js";
import { ManualClock } from "./support/manual-clock.js";

const MS = 100;
const ttl = { ms: MS };

const operator = defineOperator("o", {
  key: string(),
  states: {
    seen: value<string>({ ttl: { ms: MS, time: "event" } }),
    sums: namespaced(
      string(),
      reducing((a: number, b: number) => a + b, { ttl }),
    ),
    lists: namespaced(string(), list<number>({ ttl })),
    fields: map<string, number>({ ttl }),
  },
});

async function open(checkpoints = memoryStorage(), clock = new ManualClock()) {
  const backend = { name: "memory", sync: true, checkpoints } as const;
  return { task: await openTask(operator, { job: "job", backend, clock }), clock, checkpoints };
}

test("T51 by event time a value expires when the watermark has passed, also over a restore", async () => {
  const { task, clock, checkpoints } = await open();
  await task.advanceWatermark(1000);
  task.seen.set("a", "first");
  await task.checkpoint();
  await task.close();

  clock.advance(10 * MS);
  const { task: restored } = await open(checkpoints, clock);
  expect(restored.watermark).toBe(1000);
  await restored.advanceWatermark(1000 + MS - 1);
  expect(restored.seen.getSync("a")).toBe("first");
  await restored.advanceWatermark(1000 + MS);
  expect(restored.seen.getSync("a")).toBeUndefined();
  await expect(restored.advanceWatermark(1000)).rejects.toMatchObject({ code: "VALUE_INVALID" });
});

test("T52 merging namespaces leaves out what has expired, and stamps the rest anew", async () => {
  const { task, clock } = await open();
  task.sums.in("old").addSync("k", 1);
  task.lists.in("old").add("k", 1);
  clock.advance(MS / 2);
  task.sums.in("young").addSync("k", 2);
  task.lists.in("young").add("k", 2);
  clock.advance(MS / 2);
  task.sums.mergeNamespacesSync("k", "target", ["old", "young"]);
  task.lists.mergeNamespacesSync("k", "target", ["old", "young"]);
  expect(task.sums.in("target").getSync("k")).toBe(2);
  expect(task.lists.in("target").getSync("k")).toEqual([2]);
  clock.advance(MS - 1);
  expect(task.sums.in("target").getSync("k")).toBe(2);
  clock.advance(1);
  expect(task.sums.in("target").getSync("k")).toBeUndefined();
  expect(task.lists.in("target").getSync("k")).toEqual([]);
});

test("T43 fields that are set together expire together", async () => {
  const { task, clock } = await open();
  task.fields.setAll("k", [
    ["a", 1],
    ["b", 2],
  ]);
  clock.advance(MS - 1);
  expect([...task.fields.fieldsSync("k")]).toEqual(["a", "b"]);
  clock.advance(1);
  expect([...task.fields.valuesSync("k")]).toEqual([]);
  expect(task.fields.isEmptySync("k")).toBe(true);
});

interface Declared<T> {
  readonly one: ValueDescriptor<T, T | undefined>;
  readonly many: ListDescriptor<T>;
}

test.each([
  { how: "that goes on expiring", now: { ttl } },
  { how: "whose time to live is turned off", now: {} },
])("T69 a state $how takes over values of a former codec", async ({ now }) => {
  const checkpoints = memoryStorage();
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints } as const;
  const start = async <T>(states: Declared<T>) => {
    const declared = defineOperator("migrated", { key: string(), states: { one: states.one, many: states.many } });
    return openTask(declared, { job: "job", backend, clock });
  };
  const old = await start({ one: value<string>({ codec: text(), ttl }), many: list<string>({ codec: text(), ttl }) });
  old.one.set("k", "1");
  old.many.add("k", "2");
  clock.advance(MS / 2);
  old.one.set("late", "3");
  old.many.add("k", "4");
  await old.checkpoint();
  await old.close();

  const numbers = evolved(integer(), former(text(), Number));
  const task = await start({ one: value({ codec: numbers, ...now }), many: list({ codec: numbers, ...now }) });
  expect([task.one.getSync("k"), task.one.getSync("late")]).toEqual([1, 3]);
  expect(task.many.getSync("k")).toEqual([2, 4]);
  clock.advance(MS / 2);
  const lives = !("ttl" in now);
  expect([task.one.getSync("k"), task.one.getSync("late")]).toEqual([lives ? 1 : undefined, 3]);
  expect(task.many.getSync("k")).toEqual(lives ? [2, 4] : [4]);
});
