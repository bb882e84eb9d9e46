/** Clauses about keyed state whose rest is in a store. The conformance kit runs histories over stores; here is what they do not see. */

import { describe, expect, test } from "vitest";
import {
  type Backend,
  type BinaryKey,
  defineOperator,
  KeyGroups,
  list,
  map,
  memoryStorage,
  memoryStore,
  namespaced,
  openTask,
  reducing,
  splitList,
  StateBackendError,
  string,
  type StoreProvider,
  value,
} from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { ManualClock } from "./support/manual-clock.js";
import { RecordingStorage } from "./support/recording-storage.js";
import { recordingStores } from "./support/recording-store.js";

const OPERATOR = defineOperator("o", {
  key: string(),
  states: {
    n: value<number>(),
    seen: list<string>(),
    fields: map<string, number>(),
    sum: namespaced(
      string(),
      reducing((a: number, b: number) => a + b),
    ),
    offsets: splitList<number>(),
  },
  timers: true,
});
const KEYS = Array.from({ length: 50 }, (_, i) => `k${i}`);

function setUp({ cacheBytes = 0, isSync = false } = {}) {
  const { provider, record } = recordingStores(memoryStore({ cacheBytes }), { isSync });
  const storage = new RecordingStorage(memoryStorage());
  const open = (
    options: { readonly restore?: number; readonly store?: StoreProvider; readonly retain?: number } = {},
  ) => {
    const { store = provider, ...rest } = options;
    const backend: Backend<false> = { name: "store", sync: false, checkpoints: storage, store };
    return openTask(OPERATOR, { job: "job", backend, clock: new ManualClock(), retain: 3, ...rest });
  };
  /** Segments that are read of the storage while `work` runs. */
  const segmentsRead = async (work: () => Promise<unknown>): Promise<number> => {
    storage.gets.length = 0;
    await work();
    return new Set(storage.gets.filter(({ name }) => name.includes("/segment/")).map(({ name }) => name)).size;
  };
  return { provider, record, storage, open, segmentsRead };
}

type Opened = Awaited<ReturnType<ReturnType<typeof setUp>["open"]>>;

function write(task: Opened, round: number): void {
  for (const [i, key] of KEYS.entries()) {
    if (i % 5 !== round % 5) continue;
    task.n.set(key, round);
    task.seen.add(key, `round ${round}`);
    task.fields.set(key, `f${round}`, round);
    task.timers.event.register(key, 1000 + round);
  }
}

async function everything(task: Opened): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const key of KEYS) {
    const fields: unknown[] = [];
    for await (const field of task.fields.entries(key)) fields.push(field);
    all.push([key, await task.n.get(key), await task.seen.get(key), fields]);
  }
  return [...all, task.timers.event.entries()];
}

describe("T140 a store that has what is restored", () => {
  test("is used as it is: no segment is read, and nothing is loaded", async () => {
    const { record, open, segmentsRead } = setUp();
    const task = await open();
    for (let round = 0; round < 4; round++) {
      write(task, round);
      await task.checkpoint();
    }
    const before = await everything(task);
    await task.close();
    record.calls.length = 0;
    let restored: Opened | undefined;
    expect(await segmentsRead(async () => (restored = await open()))).toBe(0);
    expect(record.calls.filter((call) => call === "load" || call === "apply")).toEqual([]);
    expect(await everything(restored as Opened)).toEqual(before);
  });

  test("gives operator state from the segments, since it belongs to no key", async () => {
    const { open } = setUp();
    const task = await open();
    task.offsets.add(7);
    task.n.set("k", 1);
    await task.checkpoint();
    await task.close();
    const restored = await open();
    expect([restored.offsets.get(), await restored.n.get("k")]).toEqual([[7], 1]);
  });
});

describe("T141 a store that lags behind", () => {
  test("gets the segments that it does not have, and no other", async () => {
    const { record, open, segmentsRead } = setUp();
    const task = await open();
    for (let round = 0; round < 5; round++) write(task, round);
    for (let i = 0; i < 500; i++) task.n.set(`other ${i}`, i);
    await task.checkpoint();
    write(task, 1);
    await task.checkpoint();
    // From here on the process dies before its store has the changes.
    record.before = async (call) => {
      if (call === "apply") throw new StateBackendError("FENCED", "Dead.");
    };
    write(task, 2);
    const { id } = await task.checkpoint();
    await task.close();
    record.before = async () => undefined;
    record.calls.length = 0;
    let restored: Opened | undefined;
    expect(await segmentsRead(async () => (restored = await open()))).toBe(1);
    expect(record.calls.filter((call) => call === "load" || call === "apply")).toEqual(["apply"]);
    expect(restored?.restoredFrom).toBe(id);
    expect(await restored?.n.get("k2")).toBe(2);
    expect(await restored?.seen.get("k2")).toEqual(["round 2", "round 2"]);
  });

  test("is made whole if it died while it was applying", async () => {
    const { record, open } = setUp();
    const task = await open();
    for (let round = 0; round < 3; round++) {
      write(task, round);
      await task.checkpoint();
    }
    const expected = await everything(task);
    write(task, 3);
    record.afterApply = async () => {
      throw new StateBackendError("FENCED", "Dead.");
    };
    await task.checkpoint();
    record.afterApply = async () => undefined;
    const older = await open({ restore: 3 });
    expect(await everything(older)).toEqual(expected);
  });
});

describe("T142 a store that has something else", () => {
  test.each([
    ["of an older checkpoint that was restored", 1],
    ["of a newer one", 3],
  ])("%s is rebuilt", async (_what, id) => {
    const { record, open } = setUp();
    const task = await open();
    const states: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      write(task, round);
      await task.checkpoint({ full: true });
      states.push(await everything(task));
    }
    await task.close();
    const other = await open({ restore: 2 });
    expect(await everything(other)).toEqual(states[1]);
    expect(record.calls).toContain("load");
    await other.close();
    const last = await open({ restore: id });
    expect(await everything(last)).toEqual(states[id - 1]);
  });

  test("or nothing is rebuilt from the segments", async () => {
    const { open } = setUp();
    const task = await open();
    for (let round = 0; round < 12; round++) {
      write(task, round);
      if (round === 5) task.fields.clear("k0");
      await task.checkpoint();
    }
    const before = await everything(task);
    await task.close();
    const fresh = recordingStores(memoryStore());
    const restored = await open({ store: fresh.provider });
    expect(await everything(restored)).toEqual(before);
    expect(fresh.record.rowsLoaded).toBeGreaterThan(0);
  });

  test("is emptied if the job begins anew", async () => {
    const { provider, open } = setUp();
    const task = await open();
    write(task, 0);
    await task.checkpoint();
    await task.close();
    const backend: Backend<false> = { name: "store", sync: false, checkpoints: memoryStorage(), store: provider };
    const anew = await openTask(OPERATOR, { job: "job", backend, clock: new ManualClock() });
    expect([await anew.n.get("k0"), await anew.seen.get("k0")]).toEqual([undefined, []]);
  });
});

describe("T143 a store gets changes when their checkpoint has completed", () => {
  test("not before, and not if it is aborted", async () => {
    const { record, open, storage } = setUp();
    const task = await open();
    record.calls.length = 0;
    task.n.set("k", 1);
    const put = storage.put.bind(storage);
    storage.put = async () => {
      expect(record.calls).not.toContain("apply");
      throw new StateBackendError("UNAVAILABLE", "No.");
    };
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(record.calls).not.toContain("apply");
    storage.put = put;
    expect(await task.n.get("k")).toBe(1);
    await task.checkpoint();
    expect(record.calls.filter((call) => call === "apply")).toHaveLength(1);
  });

  test("and is asked again if it does not answer", async () => {
    const { provider, record } = recordingStores(memoryStore());
    const clock = new ManualClock();
    const backend: Backend<false> = { name: "store", sync: false, checkpoints: memoryStorage(), store: provider };
    const task = await openTask(OPERATOR, { job: "job", backend, clock });
    let failures = 3;
    record.before = async (call) => {
      if (call === "apply" && failures-- > 0) throw new StateBackendError("UNAVAILABLE", "No.");
    };
    task.n.set("k", 1);
    let isDone = false;
    const checkpoint = task.checkpoint().then(() => (isDone = true));
    while (!isDone) {
      await atRest();
      clock.advance(1000);
    }
    await checkpoint;
    expect(record.calls.filter((call) => call === "apply")).toHaveLength(4);
    expect(await task.n.get("k")).toBe(1);
  });

  test("a failure for good poisons the task, and the checkpoint stays completed", async () => {
    const { record, open } = setUp();
    const task = await open();
    task.n.set("k", 1);
    record.before = async (call) => {
      if (call === "apply") throw new StateBackendError("LIMIT_EXCEEDED", "Full.");
    };
    expect(await task.checkpoint()).toMatchObject({ status: "completed" });
    expect(() => task.n.set("k", 2)).toThrow(expect.objectContaining({ code: "POISONED" }));
    await task.close();
    record.before = async () => undefined;
    expect(await (await open()).n.get("k")).toBe(1);
  });
});

describe("T144 reads", () => {
  test("of one turn of the event loop are one call, up to 1,000 keys", async () => {
    const { record, open } = setUp();
    const task = await open();
    for (let i = 0; i < 2500; i++) task.n.set(`k${i}`, i);
    await task.checkpoint();
    record.reads.length = 0;
    const read = await Promise.all(Array.from({ length: 2500 }, (_, i) => task.n.get(`k${i}`)));
    expect(read).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    expect(record.reads).toEqual([1000, 1000, 500]);
  });

  test("of several kinds of state are one call, and each gets its own answer; a failure reaches all of them", async () => {
    const { record, open } = setUp();
    const task = await open();
    task.n.set("k", 1);
    task.fields.set("k", "f", 2);
    await task.sum.in("w").add("k", 3);
    await task.checkpoint();
    const ask = () => [task.n.get("k"), task.fields.get("k", "f"), task.sum.in("w").get("k"), task.n.get("other")];
    record.before = async (call) => {
      if (call === "getMany") throw new StateBackendError("UNAVAILABLE", "No.");
    };
    const failed = await Promise.allSettled(ask());
    expect(failed.map((result) => result.status === "rejected" && (result.reason as { code: string }).code)).toEqual(
      Array.from({ length: 4 }, () => "UNAVAILABLE"),
    );
    record.before = async () => undefined;
    record.reads.length = 0;
    expect(await Promise.all(ask())).toEqual([1, 2, 3, undefined]);
    expect(record.reads).toEqual([4]);
  });

  test("that overtake a write and its checkpoint give what was written", async () => {
    const { record, open } = setUp();
    const task = await open();
    task.n.set("k", 1);
    task.fields.set("k", "f", 1);
    task.seen.add("k", "1");
    await task.checkpoint();
    await task.close();
    const again = await open();
    const gate = new Gate();
    record.before = async (call) => {
      if (call === "getMany") await gate.opened;
    };
    const reads = [again.n.get("k"), again.fields.get("k", "f")];
    again.n.set("k", 2);
    again.fields.set("k", "f", 2);
    await again.checkpoint();
    await again.checkpoint({ full: true });
    gate.open();
    expect(await Promise.all(reads)).toEqual([2, 2]);
  });

  test("keep no more in memory than they may", async () => {
    const { record, open } = setUp({ cacheBytes: 64 * 1024 });
    const task = await open();
    for (let i = 0; i < 5000; i++) task.n.set(`k${i}`, i);
    await task.checkpoint();
    await Promise.all(Array.from({ length: 5000 }, (_, i) => task.n.get(`k${i}`)));
    record.reads.length = 0;
    await Promise.all(Array.from({ length: 5000 }, (_, i) => task.n.get(`k${i}`)));
    const missed = record.reads.reduce((sum, count) => sum + count, 0);
    expect(missed).toBeGreaterThan(4000);
    record.reads.length = 0;
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => task.n.get(`k${i}`)));
    }
    expect(record.reads.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(100);
  });

  test("of a store that has to be waited for cannot be had without a promise", async () => {
    const task = await setUp().open();
    expect([task.n, task.fields, task.sum.in("w")].map((handle) => "getSync" in handle)).toEqual([false, false, false]);
  });

  test("of a store in this process need no promise", async () => {
    const { provider, record } = recordingStores(memoryStore(), { isSync: true });
    const backend: Backend<"point"> = { name: "store", sync: "point", checkpoints: memoryStorage(), store: provider };
    const task = await openTask(OPERATOR, { job: "job", backend });
    task.n.set("k", 1);
    task.fields.set("k", "f", 2);
    await task.sum.in("w").add("k", 3);
    await task.checkpoint();
    record.calls.length = 0;
    const read = [
      task.n.getSync("k"),
      task.fields.getSync("k", "f"),
      task.fields.hasSync("k", "g"),
      task.sum.in("w").getSync("k"),
    ];
    expect(read).toEqual([1, 2, false, 3]);
    expect(record.calls).toEqual([]);
  });
});

test("T145 additions to one key are made in order, and none is lost while others wait for the store", async () => {
  const { open } = setUp();
  const task = await open();
  await task.sum.in("w").add("k", 1);
  await task.checkpoint();
  await Promise.all(Array.from({ length: 100 }, () => task.sum.in("w").add("k", 1)));
  expect(await task.sum.in("w").get("k")).toBe(101);
});

test("T145 a merge of namespaces takes in what is added while it waits for the store", async () => {
  const { record, open } = setUp({ cacheBytes: 64 * 1024 });
  const task = await open();
  await task.sum.in("a").add("k", 1);
  await task.sum.in("b").add("k", 10);
  await task.checkpoint();
  await task.close();
  const again = await open();
  const gate = new Gate();
  record.before = async (call) => {
    if (call === "getMany") await gate.opened;
  };
  const merged = again.sum.mergeNamespaces("k", "a", ["b", "c"]);
  const added = again.sum.in("c").add("k", 100);
  gate.open();
  await Promise.all([merged, added]);
  const left = await Promise.all(["a", "b", "c"].map((namespace) => again.sum.in(namespace).get("k")));
  expect(left[1]).toBeUndefined();
  expect((left[0] ?? 0) + (left[2] ?? 0)).toBe(111);
});

test("T47 what has expired goes from a store without being read, some rows after each checkpoint", async () => {
  const inner = memoryStore();
  const { provider, record } = recordingStores(inner);
  const backend: Backend<false> = { name: "store", sync: false, checkpoints: memoryStorage(), store: provider };
  const clock = new ManualClock();
  const expiring = defineOperator("expiring", {
    key: string(),
    states: {
      n: value<number>({ ttl: { ms: 1000 } }),
      seen: list<number>({ ttl: { ms: 1000 } }),
      fields: map<string, number>({ ttl: { ms: 1000 } }),
    },
  });
  const task = await openTask(expiring, { job: "job", backend, clock });
  const fill = (from: number, until: number): void => {
    for (let i = from; i < until; i++) {
      task.n.set(`k${i}`, i);
      task.seen.add(`k${i}`, i);
      task.fields.set(`k${i}`, "f", i);
    }
  };
  fill(0, 1500);
  await task.checkpoint();
  clock.advance(600);
  fill(1500, 1600);
  await task.checkpoint();
  clock.advance(600);
  for (let checkpoint = 0; checkpoint < 12; checkpoint++) await task.checkpoint();
  expect(record.reads).toEqual([]);
  await task.close();
  const store = inner.create();
  await store.open(
    { job: "job", operator: "expiring", maxParallelism: 128, groups: KeyGroups.all(128) },
    { epoch: 99, nonce: "0".repeat(32) },
  );
  let rows = 0;
  for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\u00ff" as BinaryKey })) rows += chunk.length;
  expect(rows).toBe(300);
});

test("T146 stores are prepared before anybody is fenced, and closed with the job or when it cannot be opened", async () => {
  const { record, open } = setUp();
  const first = await open();
  record.calls.length = 0;
  record.before = async (call) => {
    if (call === "prepare") throw new StateBackendError("UNAVAILABLE", "Locked.");
  };
  await expect(open()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(record.calls).toEqual(["prepare", "close"]);
  record.before = async () => undefined;
  first.n.set("k", 1);
  expect(await first.checkpoint()).toMatchObject({ status: "completed" });
  await first.close();
  expect(record.calls.at(-1)).toBe("close");
});
