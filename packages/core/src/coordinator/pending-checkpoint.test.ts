import { expect, test } from "vitest";
import { PendingCheckpoint } from "./pending-checkpoint.js";

function pendingOf(taskCount: number, turn?: Promise<void>) {
  return new PendingCheckpoint<string>({ attempt: 7, checkpoint: 3, taskCount, turn });
}

const from = (task: number) => ({ attempt: 7, checkpoint: 3, task });

test("T85 a checkpoint has its results when every task has acknowledged, in the order of the tasks", async () => {
  const pending = pendingOf(3);
  let isAcknowledged = false;
  const results = pending.results().then((all) => {
    isAcknowledged = true;
    return all;
  });
  expect(pending.acknowledge(from(2), "c")).toBe("success");
  expect(pending.acknowledge(from(0), "a")).toBe("success");
  await Promise.resolve();
  expect(isAcknowledged).toBe(false);
  expect(pending.acknowledge(from(1), "b")).toBe("success");
  expect(await results).toEqual(["a", "b", "c"]);
});

test("T85 a second acknowledgement of a task changes nothing", async () => {
  const pending = pendingOf(2);
  pending.acknowledge(from(0), "a");
  expect(pending.acknowledge(from(0), "again")).toBe("duplicate");
  expect(pending.decline(from(0), new Error("late"))).toBe("duplicate");
  pending.acknowledge(from(1), "b");
  expect(await pending.results()).toEqual(["a", "b"]);
});

test.each([
  ["another attempt", { attempt: 6, checkpoint: 3, task: 0 }],
  ["an earlier checkpoint", { attempt: 7, checkpoint: 2, task: 0 }],
  ["a later checkpoint", { attempt: 7, checkpoint: 4, task: 0 }],
  ["a task that is not part of it", { attempt: 7, checkpoint: 3, task: 1 }],
  ["no task", { attempt: 7, checkpoint: 3, task: -1 }],
  ["half a task", { attempt: 7, checkpoint: 3, task: 0.5 }],
])("T85 an answer of %s is unknown and changes nothing", async (_, address) => {
  const pending = pendingOf(1);
  expect(pending.acknowledge(address, "foreign")).toBe("unknown");
  expect(pending.decline(address, new Error("foreign"))).toBe("unknown");
  expect(pending.acknowledge(from(0), "own")).toBe("success");
  expect(await pending.results()).toEqual(["own"]);
});

test("T85 a decline aborts, the first cause counts, and the end comes when all have answered", async () => {
  const pending = pendingOf(3);
  const first = new Error("first");
  let isSettled = false;
  const failed = pending.results().catch((error: unknown) => {
    isSettled = true;
    return error;
  });
  expect(pending.decline(from(1), first)).toBe("success");
  expect(pending.acknowledge(from(0), "a")).toBe("discarded");
  await Promise.resolve();
  await Promise.resolve();
  expect(isSettled).toBe(false);
  expect(pending.decline(from(2), new Error("second"))).toBe("discarded");
  expect(await failed).toBe(first);
});

test("T85 who is aborted waits for nobody, and what comes later is discarded", async () => {
  const pending = pendingOf(2);
  pending.acknowledge(from(0), "a");
  const cause = new Error("time is up");
  pending.abort(cause);
  pending.abort(new Error("again"));
  await expect(pending.results()).rejects.toBe(cause);
  expect(pending.acknowledge(from(1), "late")).toBe("discarded");
});

test("T85 an answer after the end is discarded", async () => {
  const pending = pendingOf(1);
  pending.end();
  await pending.whenEnded;
  expect(pending.isEnded).toBe(true);
  expect(pending.acknowledge(from(0), "late")).toBe("discarded");
});

test("T85 a checkpoint is the first if nothing was under way at its barrier", () => {
  expect(pendingOf(1).isFirst).toBe(true);
  const before = pendingOf(1);
  expect(pendingOf(1, before.whenEnded)).toMatchObject({ isFirst: false, turn: before.whenEnded });
});
