import { describe, expect, test } from "vitest";
import {
  type Backend,
  evolved,
  former,
  integer,
  map,
  memoryStorage,
  memoryStore,
  number,
  openJob,
  openTask,
  splitKeyGroups,
  StateBackendError,
  defineOperator,
  string,
  text,
  value,
  type KeyCodec,
} from "../src/index.js";
import { type Family, families, grownFrom, KeyedJob, type Shape } from "./support/keyed-job.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { seededRandom } from "./support/seeded-random.js";
import { fromString, plain, written } from "./support/string-keyed-job.js";

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

describe("with a time to live", () => {
  test("T70 that is turned on or off at the same time", async () => {
    const [storage, clock] = [memoryStorage(), new ManualClock()];
    const backend = { name: "memory", sync: true, checkpoints: storage } as const;
    const ttl = { ms: 1000 };
    const open = <K>(key: KeyCodec<K>, isOn: boolean) => {
      const states = { on: value<number>(isOn ? { ttl } : {}), off: value<number>(isOn ? {} : { ttl }) };
      return openTask(defineOperator("op", { key, states, maxParallelism: 8 }), { job: "job", backend, clock });
    };
    const before = await open(string(), false);
    for (let i = 0; i < 20; i++) {
      before.on.set(`${i}`, i);
      if (i % 2 === 0) before.off.set(`${i}`, i);
    }
    clock.advance(500);
    for (let i = 1; i < 20; i += 2) before.off.set(`${i}`, i);
    await before.checkpoint();
    await before.close();
    clock.advance(500);
    const after = await open(fromString(number(), Number), true);
    await after.checkpoint();
    expect([...after.on.keysSync()]).toHaveLength(20);
    expect([...after.off.keysSync()].sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    await after.close();
    clock.advance(1000);
    const last = await open(number(), true);
    expect([[...last.on.keysSync()].length, [...last.off.keysSync()].length]).toEqual([0, 10]);
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
