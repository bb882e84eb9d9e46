/** Writes of the caller's that take place if and only if a checkpoint completes. */

import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type CheckpointListener,
  type CheckpointOptions,
  type CheckpointTransaction,
  defineOperator,
  memoryStorage,
  openJob,
  openTask,
  string,
  value,
} from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { holdSegments } from "./support/held-segments.js";
import { ManualClock } from "./support/manual-clock.js";
import { type RowWriter, TransactionalStorage } from "./support/transactional-storage.js";

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });

type Options = CheckpointOptions & {
  readonly listener?: CheckpointListener;
  readonly transaction?: CheckpointTransaction<RowWriter>;
};

async function openCounter(options: Options = {}, storage = new TransactionalStorage()) {
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(OPERATOR, { job: "job", backend, clock, graceMs: 0, retain: 10, ...options });
  return { task, clock, storage };
}

function writing(row: string): CheckpointTransaction<RowWriter> {
  return async (client) => client.write(row);
}

async function restoredCount(storage: TransactionalStorage): Promise<number> {
  const { task } = await openCounter({}, storage);
  const count = task.count.getSync("k");
  await task.close();
  return count;
}

describe("T150 results", () => {
  test("take place with the checkpoint, are told its id, and the last checkpoint of a job has them too", async () => {
    const { task, storage } = await openCounter();
    task.count.set("k", 1);
    const told: number[] = [];
    await task.checkpoint({
      async transaction(client, { checkpoint }) {
        told.push(checkpoint);
        expectTypeOf(client).toEqualTypeOf<RowWriter>();
        client.write("one");
      },
    });
    await task.checkpoint();
    await task.checkpoint({ full: true, transaction: writing("full") });
    await task.stop({ transaction: writing("last") });
    expect(told).toEqual([1]);
    expect(storage.rows).toEqual(["one", "full", "last"]);
    expect(await restoredCount(storage)).toBe(1);
  });

  test("are those of the job where the call says nothing, for automatic checkpoints too", async () => {
    const transaction: CheckpointTransaction<RowWriter> = async (client, { checkpoint }) =>
      client.write(`job ${checkpoint}`);
    const { task, storage, clock } = await openCounter({ transaction, intervalMs: 1000 });
    await task.checkpoint();
    clock.advance(1000);
    await atRest();
    await task.checkpoint({ transaction: writing("call") });
    await task.stop();
    expect(storage.rows).toEqual(["job 1", "job 2", "call", "job 4"]);
  });

  test("are of a job of several tasks as of one", async () => {
    const checkpoints = new TransactionalStorage();
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const job = await openJob({ job: "job", backend, checkpoints, tasks: [{ operator: OPERATOR, parallelism: 2 }] });
    await job.checkpoint({ transaction: async (client) => client.write("job") });
    await job.close();
    expect(checkpoints.rows).toEqual(["job"]);
  });
});

describe("T151 without transactions", () => {
  test("results are refused before anything changes", async () => {
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const never: CheckpointTransaction = async () => undefined;
    await expect(openTask(OPERATOR, { job: "job", backend, transaction: never })).rejects.toThrow(/postgresStorage/);
    const task = await openTask(OPERATOR, { job: "job", backend });
    await expect(task.checkpoint({ transaction: never })).rejects.toThrow(TypeError);
    await expect(task.stop({ transaction: never })).rejects.toThrow(TypeError);
    expect(task.checkpoints).toEqual([]);
    expect(await task.checkpoint()).toMatchObject({ id: 1 });
    await task.close();
  });

  test("what is no function is refused, and so are results with a savepoint", async () => {
    const { task } = await openCounter();
    const wrong = "INSERT" as unknown as CheckpointTransaction<RowWriter>;
    await expect(task.checkpoint({ transaction: wrong })).rejects.toThrow(TypeError);
    const savepoint = memoryStorage();
    await expect(task.stop({ savepoint, transaction: writing("x") })).rejects.toThrow(/savepoint\(\) first/);
    expect(await task.stop()).toMatchObject({ id: 1 });
  });
});

describe("T152 a transaction that fails", () => {
  test("aborts its checkpoint with what it threw; the next one has the state, and its own results", async () => {
    const aborted: number[] = [];
    const { task, storage } = await openCounter({ listener: { aborted: (id) => void aborted.push(id) } });
    const failure = new Error("mine");
    task.count.set("k", 1);
    const failing: CheckpointTransaction<RowWriter> = async (client) => {
      client.write("never");
      throw failure;
    };
    await expect(task.checkpoint({ transaction: failing })).rejects.toBe(failure);
    await expect(task.stop({ transaction: failing })).rejects.toMatchObject({ code: "ABORTED", cause: failure });
    expect(aborted).toEqual([1, 2]);
    await task.checkpoint({ transaction: writing("next") });
    await task.close();
    expect([storage.rows, await restoredCount(storage)]).toEqual([["next"], 1]);
  });

  test("has the job's timeoutMs; what it does later does not count", async () => {
    const { task, storage, clock } = await openCounter({ timeoutMs: 1000 });
    const gate = new Gate();
    const checkpoint = task.checkpoint({
      async transaction(client) {
        await gate.opened;
        client.write("late");
      },
    });
    const rejected = expect(checkpoint).rejects.toMatchObject({ code: "ABORTED" });
    await atRest();
    clock.advance(1000);
    await rejected;
    gate.open();
    await task.checkpoint();
    expect(storage.rows).toEqual([]);
    await task.close();
  });
});

describe("T153 the outcome of a commit that is not known", () => {
  test.each(["a commit", "the answer"] as const)("is found out; results take place once: lost %s", async (loses) => {
    const { task, storage } = await openCounter();
    task.count.set("k", 1);
    storage.loses = loses;
    expect(await task.checkpoint({ transaction: writing("once") })).toMatchObject({ status: "completed" });
    await task.close();
    expect([storage.rows, await restoredCount(storage)]).toEqual([["once"], 1]);
  });

  test("poisons the task if it stays unknown, and a restore has both or neither", async () => {
    const { task, storage } = await openCounter();
    task.count.set("k", 1);
    storage.loses = "the answer";
    const lose = storage.putWith.bind(storage);
    storage.putWith = (...args) => {
      storage.loses = "the answer";
      return lose(...args).then((outcome) => {
        if (outcome !== "exists") return outcome;
        return lose("job/unreachable", Buffer.from("x"), { work: async () => undefined });
      });
    };
    const checkpoint = task.checkpoint({ transaction: writing("once") });
    await expect(checkpoint).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    expect(() => task.count.set("k", 2)).toThrow(expect.objectContaining({ code: "POISONED" }));
    await task.close();
    storage.loses = "nothing";
    storage.putWith = lose;
    expect([storage.rows, await restoredCount(storage)]).toEqual([["once"], 1]);
  });

  test("is surely none where the repeated work fails", async () => {
    const { task, storage } = await openCounter();
    const failure = new Error("mine");
    let calls = 0;
    storage.loses = "a commit";
    const checkpoint = task.checkpoint({
      async transaction() {
        if (++calls === 2) throw failure;
      },
    });
    await expect(checkpoint).rejects.toBe(failure);
    expect(await task.checkpoint({ transaction: writing("next") })).toMatchObject({ id: 2 });
    await task.close();
  });
});

describe("T154 two owners", () => {
  test("who was taken over writes no results", async () => {
    const { task: zombie, storage } = await openCounter();
    const { task: owner } = await openCounter({}, storage);
    await expect(zombie.checkpoint({ transaction: writing("zombie") })).rejects.toMatchObject({ code: "FENCED" });
    await owner.checkpoint({ transaction: writing("owner") });
    await Promise.all([zombie.close(), owner.close()]);
    expect(storage.rows).toEqual(["owner"]);
  });

  test("who takes over while results are written waits, and continues from what they belong to", async () => {
    const { task: first, storage } = await openCounter();
    const committing = new Gate();
    storage.beforeCommit = () => committing.opened;
    first.count.set("k", 1);
    const checkpoint = first.checkpoint({ transaction: writing("first") });
    await atRest();
    const opening = openCounter({}, storage);
    await atRest();
    committing.open();
    const { task: second } = await opening;
    await Promise.allSettled([checkpoint]);
    expect([second.restoredFrom, second.count.getSync("k"), storage.rows]).toEqual([1, 1, ["first"]]);
    await expect(first.checkpoint({ transaction: writing("late") })).rejects.toMatchObject({ code: "FENCED" });
    await Promise.all([first.close(), second.close()]);
    expect(storage.rows).toEqual(["first"]);
  });
});

describe("T155 concurrent checkpoints", () => {
  test("write their results in the order of their ids, those of an aborted one not at all", async () => {
    const { task, storage } = await openCounter({ concurrentMax: 3 });
    const held = holdSegments(storage);
    const checkpoints = ["a", "b", "c"].map((row, i) => {
      task.count.set("k", i + 1);
      return task.checkpoint({
        async transaction(client) {
          if (row === "b") throw new Error("b");
          client.write(row);
        },
      });
    });
    const settled = Promise.allSettled(checkpoints);
    await atRest();
    for (const upload of [...held].reverse()) upload.release();
    expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await task.close();
    expect([storage.rows, await restoredCount(storage)]).toEqual([["a", "c"], 3]);
  });
});

describe("T156 what belongs to a checkpoint", () => {
  test("is told at its barrier, and the results of aborted ones come with the next", async () => {
    let pending: (readonly [number, string])[] = [];
    let collected: string[] = [];
    const listener: CheckpointListener = {
      barrier(id) {
        pending.push(...collected.map((row) => [id, row] as const));
        collected = [];
      },
      completed(id) {
        pending = pending.filter(([at]) => at > id);
      },
    };
    let fails = false;
    const { task, storage } = await openCounter({
      listener,
      async transaction(client, { checkpoint }) {
        for (const [at, row] of pending) if (at <= checkpoint) client.write(row);
        if (fails) throw new Error("no");
      },
    });
    const handled = async (keys: readonly string[]): Promise<void> =>
      task.process(
        keys,
        (key) => key,
        async (key) => {
          await Promise.resolve();
          task.count.set(key, 1);
          collected.push(key);
        },
      );
    await handled(["a", "b"]);
    const first = task.checkpoint();
    await handled(["c"]);
    await first;
    expect(storage.rows).toEqual(["a", "b"]);
    fails = true;
    await expect(task.checkpoint()).rejects.toThrow("no");
    fails = false;
    await handled(["d"]);
    await task.savepoint(memoryStorage());
    await task.stop();
    expect(storage.rows).toEqual(["a", "b", "c", "d"]);
  });

  test("a listener that throws at the barrier stops the checkpoint, and poisons the task", async () => {
    const { task, storage } = await openCounter({
      listener: {
        barrier() {
          throw new Error("listener");
        },
      },
    });
    await expect(task.checkpoint({ transaction: writing("never") })).rejects.toMatchObject({ code: "POISONED" });
    expect(storage.rows).toEqual([]);
    await task.close();
  });
});
