import { describe, expect, test } from "vitest";
import {
  type CheckpointOptions,
  type CheckpointStorage,
  defineOperator,
  memoryStorage,
  openTask,
  StateBackendError,
  string,
  value,
} from "../src/index.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { objectsOf } from "./support/objects.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });
const backendOf = (checkpoints = memoryStorage()) => ({ name: "memory", sync: true, checkpoints }) as const;

/** A savepoint with one key, beside an object of somebody else. */
async function savepointPlace() {
  const place = memoryStorage();
  await place.put("segment/notes", Buffer.from("not ours"));
  const task = await openTask(OPERATOR, { job: "old", backend: backendOf() });
  task.count.set("k", 7);
  await task.savepoint(place);
  await task.close();
  return place;
}

async function openFrom(place: CheckpointStorage, claim: boolean, options: CheckpointOptions = {}) {
  const own = memoryStorage();
  const storage = new HookedStorage(own);
  const restore = { savepoint: place, claim };
  const task = await openTask(OPERATOR, {
    job: "new",
    backend: backendOf(),
    checkpoints: storage,
    restore,
    ...options,
  });
  return { task, own, storage };
}

describe("T98 a savepoint that is claimed", () => {
  test.each([1, 2, 3])(
    "is removed when %i retained checkpoints have taken its place, and nothing else with it",
    async (retain) => {
      const place = await savepointPlace();
      const { task, own } = await openFrom(place, true, { retain });
      for (let completed = 0; completed < retain; completed++) {
        expect((await objectsOf(place)).size).toBe(3);
        task.count.set("k", completed);
        await task.checkpoint();
      }
      expect([...(await objectsOf(place)).keys()]).toEqual(["segment/notes"]);
      await task.close();
      const restored = await openTask(OPERATOR, { job: "new", backend: backendOf(own) });
      expect(restored.count.getSync("k")).toBe(retain - 1);
    },
  );

  test("stays as long as no checkpoint has completed, and can be restored again", async () => {
    const place = await savepointPlace();
    const { task, storage } = await openFrom(place, true);
    storage.beforePut = async () => {
      throw new StateBackendError("UNAVAILABLE", "No.");
    };
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await task.close();
    const { task: again } = await openFrom(place, true);
    expect(again.count.getSync("k")).toBe(7);
  });

  test("is left to the next checkpoint if it cannot be removed", async () => {
    const place = new HookedStorage(await savepointPlace());
    const refusal = new StateBackendError("UNAVAILABLE", "No.");
    place.beforeRemove = async () => {
      throw refusal;
    };
    const { task } = await openFrom(place, true);
    await task.checkpoint();
    expect(task.garbageError).toBe(refusal);
    place.beforeRemove = async () => undefined;
    await task.checkpoint();
    expect([task.garbageError, (await objectsOf(place)).size]).toEqual([undefined, 1]);
  });

  test("is not removed by a job that was taken over", async () => {
    const place = await savepointPlace();
    const { task, own } = await openFrom(place, true);
    const next = await openTask(OPERATOR, { job: "new", backend: backendOf(own), restore: { savepoint: place } });
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "FENCED" });
    await next.checkpoint();
    expect((await objectsOf(place)).size).toBe(3);
  });
});

test("T98 a savepoint that is not claimed is never changed", async () => {
  const place = await savepointPlace();
  const before = await objectsOf(place);
  const { task } = await openFrom(place, false);
  for (let i = 0; i < 3; i++) await task.checkpoint();
  expect(await objectsOf(place)).toEqual(before);
});
