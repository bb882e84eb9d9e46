/** Time to live together with what else there is: watermarks, merged namespaces, many fields at once. */

import { expect, test } from "vitest";
import {
  defineOperator,
  list,
  map,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  string,
  value,
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
