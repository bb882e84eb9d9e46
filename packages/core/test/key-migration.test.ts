import { describe, expect, test } from "vitest";
import {
  type Backend,
  type CheckpointStorage,
  evolved,
  evolvedKey,
  former,
  formerKey,
  integer,
  map,
  memoryStorage,
  memoryStore,
  namespaced,
  number,
  openJob,
  openTask,
  splitKeyGroups,
  StateBackendError,
  defineOperator,
  string,
  text,
  tuple,
  value,
  type KeyCodec,
} from "../src/index.js";
import { type Family, families, grownFrom, KeyedJob, type Shape } from "./support/keyed-job.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { objectsOf } from "./support/objects.js";
import { seededRandom } from "./support/seeded-random.js";

const PAIRS = Object.entries(families).flatMap(([from, before]) =>
  Object.entries(families)
    .filter(([to]) => to !== from)
    .map(([to, now]) => ({ from, to, before, now })),
);
const FAMILIES: readonly Family[] = Object.values(families);

/** A storage with checkpoints of a job with random content, and what it holds. */
async function filled(shape: Shape, { seed, tasks = 2 }: { readonly seed: number; readonly tasks?: number }) {
  const [storage, clock, random] = [memoryStorage(), new ManualClock(), seededRandom(seed)];
  const job = await KeyedJob.open(shape, { storage, clock, tasks });
  for (const task of job.tasks) await task.advanceWatermark(7);
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 80; i++) job.change(random);
    await job.control.checkpoint();
  }
  const content = job.content();
  const operatorState = job.operatorState();
  await job.control.close();
  return { storage, clock, random, content, operatorState };
}

describe("keys of a former codec", () => {
  test.each(PAIRS)("T70 $from become $to, in every kind of state", async ({ before, now }) => {
    const scopes = { namespace: families.number, field: families.scalar };
    const { storage, clock, content, operatorState } = await filled({ key: before, ...scopes }, { seed: 1 });
    const after = await KeyedJob.open({ key: grownFrom(now, before), ...scopes }, { storage, clock, tasks: 2 });
    expect(after.content()).toEqual(content);
    expect(after.operatorState()).toEqual(operatorState);
    expect(after.tasks.map(({ watermark }) => watermark)).toEqual([7, 7]);
  });

  test.each(PAIRS)("T71 namespaces and fields that are $from become $to", async ({ before, now }) => {
    const shape = { key: families.string, namespace: before, field: before };
    const { storage, clock, content, operatorState } = await filled(shape, { seed: 2 });
    const grown = grownFrom(now, before);
    const after = await KeyedJob.open({ ...shape, namespace: grown, field: grown }, { storage, clock, tasks: 2 });
    expect(after.content()).toEqual(content);
    expect(after.operatorState()).toEqual(operatorState);
  });

  test("T70 T71 any of them, with other tasks and other values at the same time, any history", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const draw = seededRandom(seed);
      const pick = (): Family => FAMILIES[draw.below(FAMILIES.length)] as Family;
      const shape: Shape = { key: pick(), namespace: pick(), field: pick(), codec: integer() };
      const { storage, clock, random, content } = await filled(shape, { seed, tasks: 1 + draw.below(4) });
      const next: Shape = {
        key: grownFrom(pick(), shape.key),
        namespace: grownFrom(pick(), shape.namespace),
        field: grownFrom(pick(), shape.field),
        codec: evolved(
          { ...integer(), id: "next" },
          former(integer(), (old) => old),
        ),
      };
      const after = await KeyedJob.open(next, { storage, clock, tasks: 1 + draw.below(4) });
      expect(after.content(), `seed ${seed}`).toEqual(content);
      for (let i = 0; i < 60; i++) after.change(random);
      const changed = after.content();
      await after.control.checkpoint();
      for (let i = 0; i < 20; i++) after.change(random);
      const last = after.content();
      await after.control.checkpoint();
      await after.control.close();
      const again = await KeyedJob.open(next, { storage, clock, tasks: 1 + draw.below(4) });
      expect(again.content(), `seed ${seed}`).toEqual(last);
      await again.control.close();
      const earlier = await KeyedJob.open(next, { storage, clock, tasks: 2, restore: 5 });
      expect(earlier.content(), `seed ${seed}`).toEqual(changed);
    }
  });

  test("T70 operator state is dealt out as ever where the tasks change, its fields as those of today", async () => {
    const shape: Shape = { key: families.string, namespace: families.number, field: families.number };
    const { storage, clock, operatorState } = await filled(shape, { seed: 5, tasks: 2 });
    const before = operatorState as { split: number[]; union: number[]; everywhere: string[] }[];
    const next = { ...shape, key: grownFrom(families.tuple, shape.key), field: grownFrom(families.bytes, shape.field) };
    const after = await KeyedJob.open(next, { storage, clock, tasks: 4 });
    const dealt = after.operatorState() as typeof before;
    expect(dealt.flatMap(({ split }) => split)).toEqual(before.flatMap(({ split }) => split));
    for (const [i, { union, everywhere }] of dealt.entries()) {
      expect(union).toEqual(before.flatMap((task) => task.union));
      expect(everywhere).toEqual(before[i % 2]?.everywhere);
    }
  });

  test("T70 go through every declared step, and a savepoint or another place will do", async () => {
    const shape: Shape = { key: families.string, namespace: families.string, field: families.string };
    const { storage, clock, content } = await filled(shape, { seed: 6 });
    const key = grownFrom(families.tuple, grownFrom(families.number, families.string));
    const other = memoryStorage();
    const restore = { from: storage, job: "keyed" };
    const second = await KeyedJob.open({ ...shape, key }, { storage: other, clock, restore });
    expect(second.content()).toEqual(content);
    const savepoint = memoryStorage();
    await second.control.savepoint(savepoint);
    const third = await KeyedJob.open(
      { ...shape, key: grownFrom(families.own, families.tuple) },
      { storage: memoryStorage(), clock, restore: { savepoint } },
    );
    expect(third.content()).toEqual(content);
  });

  test("T70 values keep when they expire", async () => {
    const shape: Shape = { key: families.string, namespace: families.string, field: families.string };
    const { storage, clock } = await filled(shape, { seed: 7 });
    clock.advance(999);
    const next = { ...shape, key: grownFrom(families.number, shape.key) };
    const after = await KeyedJob.open(next, { storage, clock });
    const brief = (): string[] => [...after.content().keys()].filter((place) => /^(brief|fields|lists) /.test(place));
    expect(brief().length).toBeGreaterThan(5);
    clock.advance(1);
    expect(brief()).toEqual([]);
  });
});

type Keyed<K> = { readonly key: KeyCodec<K>; readonly field?: KeyCodec<string>; readonly namespace?: KeyCodec<string> };

function plain<K>({ key, field = string(), namespace = string() }: Keyed<K>, storage: CheckpointStorage, job = "job") {
  const operator = defineOperator("op", {
    key,
    maxParallelism: 8,
    states: {
      n: value({ codec: text() }),
      m: map({ field, codec: text() }),
      w: namespaced(namespace, value({ codec: text() })),
    },
  });
  return openTask(operator, {
    job,
    backend: { name: "memory", sync: true, checkpoints: storage },
    graceMs: 0,
  });
}

async function written(): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  const task = await plain({ key: string() }, storage);
  for (let i = 0; i < 50; i++) {
    task.n.set(`${i}`, "x");
    task.m.set(`${i}`, "Ab", "x");
    task.m.set(`${i}`, "c", "x");
    task.w.in("First").set(`${i}`, "x");
    task.w.in("second").set(`${i}`, "x");
  }
  task.n.set("gone", "x");
  await task.checkpoint();
  task.n.delete("gone");
  task.n.set("0", "y");
  await task.checkpoint();
  await task.close();
  return storage;
}

const lower = { ...string(), id: "lower", encode: (key: string) => string().encode(key.toLowerCase()) };
const fromString = <K>(codec: KeyCodec<K>, migrate: (old: string) => K): KeyCodec<K> =>
  evolvedKey(codec, formerKey(string(), migrate));

describe("the place of the job", () => {
  test("T72 the checkpoint after it stands on nothing older, and the former codec can go", async () => {
    const storage = await written();
    const second = await plain({ key: fromString(number(), Number) }, storage);
    const { fullBytes } = await second.checkpoint();
    expect(fullBytes).toBeGreaterThan(0);
    await second.checkpoint();
    await second.close();
    const third = await plain({ key: number() }, storage);
    expect([...third.n.keysSync()].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(third.n.getSync(0)).toBe("y");
    expect(third.w.in("First").getSync(49)).toBe("x");
  });

  test("T72 a restore that ends before its first checkpoint leaves the old one as it was", async () => {
    const storage = await written();
    await (await plain({ key: fromString(number(), Number) }, storage)).close();
    const back = await plain({ key: string() }, storage);
    expect(back.n.getSync("0")).toBe("y");
    expect([...back.n.keysSync()]).toHaveLength(50);
    await (await plain({ key: fromString(number(), Number) }, storage)).close();
  });

  test("T72 a rewrite that fails leaves the old checkpoint as it was", async () => {
    const inner = await written();
    const storage = new HookedStorage(inner);
    storage.beforePut = async (name) => {
      if (name.includes("/segment/")) throw new StateBackendError("UNAVAILABLE", "no room");
    };
    await expect(plain({ key: fromString(number(), Number) }, storage)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const back = await plain({ key: string() }, inner);
    expect([...back.n.keysSync()]).toHaveLength(50);
    await back.close();
    const moved = await plain({ key: fromString(number(), Number) }, inner);
    expect([...moved.n.keysSync()]).toHaveLength(50);
  });

  test("T72 what is deleted or was replaced is not migrated", async () => {
    const seen = new Set<string>();
    const key = fromString(number(), (old) => {
      seen.add(old);
      return Number(old);
    });
    await plain({ key }, await written());
    expect(seen.size).toBe(50);
  });

  test("T72 states that are not declared move with the rest", async () => {
    const storage = await written();
    const key = fromString(number(), Number);
    const backend = { name: "memory", sync: true, checkpoints: storage } as const;
    const states = { n: value({ codec: text() }) };
    const part = await openTask(defineOperator("op", { key, maxParallelism: 8, states }), { job: "job", backend });
    await part.checkpoint();
    await part.close();
    const whole = await plain({ key: number() }, storage);
    expect([...whole.m.entriesSync(17)]).toEqual([
      ["Ab", "x"],
      ["c", "x"],
    ]);
    expect(whole.w.in("second").getSync(17)).toBe("x");
  });
});

describe("state whose rest is in a store", () => {
  test("T70 T72 is rebuilt under the new keys, whichever tasks own them now", async () => {
    const backend: Backend<false> = { name: "store", sync: false, checkpoints: memoryStorage(), store: memoryStore() };
    const states = { n: value<number>(), m: map({ field: string(), codec: text() }) };
    const operatorOf = <K>(key: KeyCodec<K>) =>
      defineOperator("op", { key, states, maxParallelism: 8, timers: true as const });
    const before = await openTask(operatorOf(string()), { job: "job", backend });
    for (let i = 0; i < 40; i++) {
      before.n.set(`${i}`, i);
      before.m.set(`${i}`, "f", `${i}`);
      before.timers.event.register(`${i}`, i);
    }
    await before.checkpoint();
    await before.close();
    for (const parallelism of [3, 1, 2]) {
      const operator = operatorOf(parallelism === 3 ? fromString(number(), Number) : number());
      const tasks = splitKeyGroups(8, parallelism).map((keyGroups) => ({ operator, keyGroups }));
      const job = await openJob({ job: "job", backend, tasks });
      const held: unknown[] = [];
      for (const task of job.tasks) {
        for await (const key of task.states.n.keys()) {
          held.push([key, await task.states.n.get(key), await task.states.m.get(key, "f")]);
        }
      }
      expect(held.sort((a, b) => Number((a as unknown[])[0]) - Number((b as unknown[])[0]))).toEqual(
        Array.from({ length: 40 }, (_, i) => [i, i, `${i}`]),
      );
      const timers = job.tasks.flatMap((task) => task.timers.event.entries());
      expect(timers.map(({ time, key }) => time === key).filter(Boolean)).toHaveLength(40);
      await job.checkpoint();
      await job.close();
    }
  });
});

describe("what is refused", () => {
  const INCOMPATIBLE = "STATE_INCOMPATIBLE";

  async function refused<K>(keyed: Keyed<K>, message: RegExp): Promise<unknown> {
    const storage = await written();
    const running = await plain({ key: string() }, storage);
    const objects = await objectsOf(storage);
    const error: unknown = await plain(keyed, storage).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: INCOMPATIBLE, message: expect.stringMatching(message) as unknown });
    expect(await objectsOf(storage)).toEqual(objects);
    running.n.set("1", "still");
    await running.checkpoint();
    return error;
  }

  test("T73 another codec that is not taken over", async () => {
    await refused({ key: number() }, /"op".*number version 1.*string version 1.*evolvedKey/);
    await refused({ key: string(), field: lower }, /"m".*field codec|field codec.*"m"/);
    await refused({ key: string(), namespace: lower }, /namespace codec.*"w".*evolvedKey/);
    await refused(
      {
        key: evolvedKey(
          number(),
          formerKey(tuple(string()), ([old]) => Number(old)),
        ),
      },
      /key codec/,
    );
  });

  test("T74 a migration or a former codec that throws, naming state and key", async () => {
    const reason = new Error("not this one");
    const strict = (wanted: string) => (old: string) => {
      if (old === wanted) throw reason;
      return old;
    };
    const key = fromString(lower, strict("17"));
    expect(await refused({ key }, /key could not be.*"op".*state="[nmw]".*"17"/)).toMatchObject({ cause: reason });
    const field = fromString(lower, strict("c"));
    expect(await refused({ key: string(), field }, /field could not.*"m".*"c"/)).toMatchObject({ cause: reason });
    const namespace = fromString(lower, strict("First"));
    expect(await refused({ key: string(), namespace }, /namespace could not.*"w".*"First"/)).toMatchObject({
      cause: reason,
    });
    const broken = {
      ...string(),
      decode: () => {
        throw reason;
      },
    };
    const unread = evolvedKey(number(), formerKey(broken as KeyCodec<string>, Number));
    expect(await refused({ key: unread }, /key could not.*"bytes [0-9a-f]+/)).toMatchObject({ cause: reason });
  });

  test("T74 a key that the codec cannot keep", async () => {
    const error = await refused({ key: fromString(number(), () => "text" as never) }, /key could not be/);
    expect(error).toMatchObject({ cause: { code: "VALUE_INVALID" } });
  });

  test("T75 two keys that become one, naming state and both", async () => {
    await refused(
      { key: fromString(number(), (old) => Number(old) % 49) },
      /Two keys.*state=.*first="(0|49)" second="(0|49)"/,
    );
    const one = fromString(lower, () => "one");
    await refused({ key: string(), field: one }, /Two fields.*"m".*first="Ab" second="c"/);
    await refused({ key: string(), namespace: one }, /Two namespaces.*"w".*first="First" second="second"/);
  });

  test("T75 also where no state has both", async () => {
    const storage = memoryStorage();
    const task = await plain({ key: string() }, storage);
    task.n.set("1", "x");
    task.m.set("1.0", "f", "x");
    await task.checkpoint();
    await task.close();
    await expect(plain({ key: fromString(number(), Number) }, storage)).rejects.toMatchObject({ code: INCOMPATIBLE });
  });

  test("T75 namespaces and fields of different keys may become one", async () => {
    const storage = memoryStorage();
    const task = await plain({ key: string() }, storage);
    task.w.in("A").set("k", "1");
    task.w.in("a").set("l", "2");
    await task.checkpoint();
    await task.close();
    const namespace = fromString(lower, (old) => old.toLowerCase());
    const after = await plain({ key: string(), namespace }, storage);
    expect([after.w.in("a").getSync("k"), after.w.in("a").getSync("l")]).toEqual(["1", "2"]);
  });

  test("T73 a checkpoint of some of the key groups, since a key may come from any", async () => {
    const shape: Shape = { key: families.string, namespace: families.string, field: families.string };
    const operator = defineOperator("op", { key: string(), states: { n: value<string>() }, maxParallelism: 8 });
    const storage = memoryStorage();
    const options = { job: "job", backend: { name: "memory", sync: true, checkpoints: storage } as const };
    const keyGroups = (await KeyedJob.open(shape, { storage: memoryStorage(), clock: new ManualClock(), tasks: 8 }))
      .tasks[1]?.keyGroups;
    const half = await openTask(operator, { ...options, keyGroups: keyGroups as never });
    await half.checkpoint();
    await half.close();
    const moved = defineOperator("op", { ...operator, key: fromString(number(), Number) });
    await expect(openTask(moved, { ...options, keyGroups: keyGroups as never })).rejects.toMatchObject({
      code: INCOMPATIBLE,
    });
  });

  test("T70 a former key codec needs its parts, and another name than the current one", () => {
    expect(() => formerKey(undefined as never, Number)).toThrow(TypeError);
    expect(() => formerKey(string(), undefined as never)).toThrow(TypeError);
    expect(() => evolvedKey(string(), formerKey(string(), String))).toThrow(/"string" version=1/);
  });
});
