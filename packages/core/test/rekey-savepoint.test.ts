import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeManifest, type Manifest } from "../src/checkpoint/manifest.js";
import { SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS } from "../src/checkpoint/names.js";
import { openSegment } from "../src/checkpoint/task-chain.js";
import {
  type CheckpointStorage,
  defineOperator,
  type KeyCodec,
  KeyGroups,
  keyGroupOf,
  memoryStorage,
  openJob,
  openTask,
  rekeySavepoint,
  StateBackendError,
  string,
  tuple,
  value,
} from "../src/index.js";
import { entriesOf } from "./support/entries.js";
import { backwards, type Content, families, KeyedJob, type Shape } from "./support/keyed-job.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { objectsOf } from "./support/objects.js";
import { seededRandom } from "./support/seeded-random.js";

const SCOPES = { namespace: families.number, field: families.scalar };
const clock = new ManualClock();

interface Saved {
  readonly savepoint: CheckpointStorage;
  readonly content: Content;
  readonly operatorState: readonly unknown[];
}

async function saved(shape: Shape, { seed = 1, tasks = 1, changes = 400 } = {}): Promise<Saved> {
  const random = seededRandom(seed);
  const job = await KeyedJob.open(shape, { storage: memoryStorage(), clock, tasks });
  for (const [i, task] of job.tasks.entries()) await task.advanceWatermark(7 + i);
  for (let i = 0; i < changes; i++) job.change(random);
  const savepoint = memoryStorage();
  await job.control.savepoint(savepoint);
  const [content, operatorState] = [job.content(), job.operatorState()];
  await job.control.close();
  return { savepoint, content, operatorState };
}

async function rekeyed(from: CheckpointStorage, maxParallelism: number, memoryBytes?: number) {
  const to = memoryStorage();
  const keyCodecs = [backwards as unknown as KeyCodec<unknown>];
  const options = memoryBytes === undefined ? {} : { memoryBytes };
  await rekeySavepoint({ from, to, maxParallelism, keyCodecs, clock, random: seededRandom(9), ...options });
  return to;
}

function restored(savepoint: CheckpointStorage, shape: Shape, tasks = 1): Promise<KeyedJob> {
  return KeyedJob.open(shape, { storage: memoryStorage(), clock, tasks, restore: { savepoint } });
}

async function manifestOf(savepoint: CheckpointStorage): Promise<Manifest> {
  const bytes = (await objectsOf(savepoint)).get(SAVEPOINT_MANIFEST);
  return decodeManifest(bytes as Buffer, SAVEPOINT_MANIFEST);
}

/** A hash of all entries of all tasks in their order, whatever the segments are called. */
async function digestOf(savepoint: CheckpointStorage): Promise<string> {
  const hash = createHash("sha256");
  for (const { tasks } of (await manifestOf(savepoint)).operators) {
    for (const ref of tasks.flatMap(({ segments }) => segments)) {
      const reader = await openSegment({ storage: savepoint, prefix: SAVEPOINT_SEGMENTS }, ref);
      hash.update(JSON.stringify(await entriesOf(reader.entries(ref.keyGroups))));
    }
  }
  return hash.digest("hex");
}

describe("a savepoint for another number of key groups", () => {
  test.each(Object.entries(families))("T76 holds the same, and back again too: %s", async (_name, key) => {
    const shape = { key, ...SCOPES, maxParallelism: 128 };
    const { savepoint, content, operatorState } = await saved(shape);
    const smaller = await rekeyed(savepoint, 16);
    const task = await restored(smaller, { ...shape, maxParallelism: 16 });
    expect(task.content()).toEqual(content);
    expect(task.operatorState()).toEqual(operatorState);
    expect(task.tasks[0]?.watermark).toBe(7);
    expect(await digestOf(smaller)).not.toBe(await digestOf(savepoint));
    expect(await digestOf(await rekeyed(smaller, 128))).toBe(await digestOf(await rekeyed(savepoint, 128)));
  });

  test.each([1, 2, 3, 31, 33, 100, 32_768])("T76 of 32 key groups %i", async (maxParallelism) => {
    const shape = { key: families.string, ...SCOPES };
    const { savepoint, content } = await saved(shape, { tasks: 3 });
    const task = await restored(await rekeyed(savepoint, maxParallelism), { ...shape, maxParallelism });
    expect(task.content()).toEqual(content);
  });

  test("T76 keeps the tasks, each with its operator state, and the lowest watermark", async () => {
    const shape = { key: families.string, ...SCOPES };
    const { savepoint, content, operatorState } = await saved(shape, { tasks: 4 });
    const larger = await restored(await rekeyed(savepoint, 64), { ...shape, maxParallelism: 64 }, 4);
    expect(larger.content()).toEqual(content);
    expect(larger.operatorState()).toEqual(operatorState);
    expect(larger.tasks.map(({ watermark }) => watermark)).toEqual([7, 7, 7, 7]);
    const few = await restored(await rekeyed(savepoint, 2), { ...shape, maxParallelism: 2 }, 2);
    expect(few.content()).toEqual(content);
    const splits = (of: readonly unknown[]): number[] => (of as { split: number[] }[]).flatMap(({ split }) => split);
    expect(splits(few.operatorState())).toEqual(splits(operatorState));
  });

  test("T76 in as little memory as is given, with the same result and nothing left over", async () => {
    const shape = { key: families.tuple, ...SCOPES };
    const { savepoint } = await saved(shape, { tasks: 2, changes: 2000 });
    const [large, small] = [await rekeyed(savepoint, 48), await rekeyed(savepoint, 48, 1)];
    expect(await digestOf(small)).toBe(await digestOf(large));
    const named = (await manifestOf(small)).operators.flatMap(({ tasks }) => tasks.flatMap((task) => task.segments));
    const expected = [SAVEPOINT_MANIFEST, ...named.map(({ name }) => SAVEPOINT_SEGMENTS + name)].sort();
    expect([...(await objectsOf(small)).keys()]).toEqual(expected);
    expect((await manifestOf(small)).operators[0]?.tasks.every(({ segments }) => segments.length === 1)).toBe(true);
  });

  test("T76 any history, any numbers", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const draw = seededRandom(seed);
      const all = Object.values(families);
      const pick = () => all[draw.below(all.length)] as (typeof all)[number];
      const shape: Shape = { key: pick(), namespace: pick(), field: pick(), maxParallelism: 4 + draw.below(40) };
      const { savepoint, content } = await saved(shape, { seed, tasks: 1 + draw.below(4) });
      const first = await rekeyed(savepoint, 1 + draw.below(200), 1 + draw.below(4000));
      const maxParallelism = 4 + draw.below(60);
      const second = await rekeyed(first, maxParallelism, 1 + draw.below(4000));
      const job = await restored(second, { ...shape, maxParallelism }, 1 + draw.below(4));
      expect(job.content(), `seed ${seed}`).toEqual(content);
      for (let i = 0; i < 100; i++) job.change(draw);
      await job.control.checkpoint();
      await job.control.close();
    }
  });

  test("T76 values keep when they expire", async () => {
    const shape = { key: families.string, ...SCOPES };
    const { savepoint } = await saved(shape);
    const later = new ManualClock();
    later.advance(clock.now() - later.now() + 1000);
    const options = { storage: memoryStorage(), clock: later, restore: { savepoint: await rekeyed(savepoint, 8) } };
    const job = await KeyedJob.open({ ...shape, maxParallelism: 8 }, options);
    expect([...job.content().keys()].filter((place) => /^(brief|fields|lists) /.test(place))).toEqual([]);
  });

  test("T76 of one operator of several, by its name", async () => {
    const [a, b] = ["a", "b"].map((name) => defineOperator(name, { key: string(), states: { n: value<number>() } }));
    const tasks = [{ operator: a }, { operator: b }] as [{ operator: typeof a }, { operator: typeof b }];
    const backend = () => ({ name: "memory", sync: true, checkpoints: memoryStorage() }) as const;
    const job = await openJob({ job: "two", backend: backend(), tasks: tasks as never });
    const handles = job.tasks as readonly { states: { n: { set(key: string, n: number): void } } }[];
    for (const [i, { states }] of handles.entries()) for (let k = 0; k < 50; k++) states.n.set(`${k}`, k + i);
    const [from, to] = [memoryStorage(), memoryStorage()];
    await job.savepoint(from);
    const before = (await manifestOf(from)).operators;
    const figures = await rekeySavepoint({ from, to, maxParallelism: { b: 7 }, compression: "deflate" });
    expect(figures).toMatchObject({ checkpoint: 1, entries: 100 });
    const after = (await manifestOf(to)).operators;
    expect(after.map(({ maxParallelism }) => maxParallelism)).toEqual([128, 7]);
    expect(after[0]?.tasks[0]?.segments[0]?.keyGroups).toEqual(before[0]?.tasks[0]?.segments[0]?.keyGroups);
    const other = defineOperator("b", { key: string(), states: { n: value<number>() }, maxParallelism: 7 });
    const single = await openTask(other, {
      job: "two",
      backend: backend(),
      restore: { savepoint: to },
      ignoreOperators: ["a"],
    });
    expect(Array.from({ length: 50 }, (_, k) => single.n.getSync(`${k}`))).toEqual(
      Array.from({ length: 50 }, (_, k) => k + 1),
    );
  });
});

describe("what fails on the way", () => {
  test("T76 leaves no savepoint, and the place can be used again", async () => {
    const shape = { key: families.string, ...SCOPES };
    const { savepoint, content } = await saved(shape, { tasks: 2 });
    const inner = memoryStorage();
    const to = new HookedStorage(inner);
    for (let failing = 1; ; failing++) {
      let puts = 0;
      to.beforePut = async () => {
        if (++puts === failing) throw new StateBackendError("UNAVAILABLE", "no room");
      };
      const outcome = await rekeySavepoint({ from: savepoint, to, maxParallelism: 8, memoryBytes: 3000 }).then(
        () => "written",
        (error: unknown) => error,
      );
      if (outcome === "written") break;
      expect(outcome).toMatchObject({ code: "UNAVAILABLE" });
      expect((await objectsOf(inner)).has(SAVEPOINT_MANIFEST)).toBe(false);
    }
    expect((await restored(inner, { ...shape, maxParallelism: 8 })).content()).toEqual(content);
  });
});

describe("what is refused, before anything is written", () => {
  const shape = { key: families.string, ...SCOPES };

  async function refused(options: Partial<Parameters<typeof rekeySavepoint>[0]>, error: object): Promise<void> {
    const to = memoryStorage();
    const from = options.from ?? (await saved(shape)).savepoint;
    const before = await objectsOf(from);
    await expect(rekeySavepoint({ from, to, maxParallelism: 8, ...options })).rejects.toMatchObject(error);
    expect((await objectsOf(to)).size).toBe(0);
    expect(await objectsOf(from)).toEqual(before);
  }

  test("T76 another savepoint at the target", async () => {
    const { savepoint } = await saved(shape);
    const before = await objectsOf(savepoint);
    const again = rekeySavepoint({ from: savepoint, to: savepoint, maxParallelism: 8 });
    await expect(again).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
    expect(await objectsOf(savepoint)).toEqual(before);
  });

  test.each([0, -1, 1.5, 32_769, Number.NaN, { op: 0 }])("T76 maxParallelism of %j", async (maxParallelism) => {
    await refused({ maxParallelism }, { name: "RangeError" });
  });

  test("T76 memoryBytes of 0", async () => {
    await refused({ memoryBytes: 0 }, { name: "RangeError" });
  });

  test("T76 an operator that it does not have, and a place without a savepoint", async () => {
    await refused({ maxParallelism: { other: 8 } }, { code: "STATE_INCOMPATIBLE" });
    await refused({ from: memoryStorage() }, { code: "CHECKPOINT_NOT_FOUND" });
  });

  test("T76 a key codec that is not known, also inside a tuple; a wrong one is found out", async () => {
    const unknown = { code: "STATE_INCOMPATIBLE", message: expect.stringContaining("keyCodecs") as unknown };
    const { savepoint } = await saved({ ...shape, key: families.own });
    await refused({ from: savepoint }, unknown);
    const wrong = { ...families.tuple.codec, id: backwards.id, version: backwards.version };
    await refused({ from: savepoint, keyCodecs: [wrong] }, { code: "CHECKPOINT_CORRUPT" });

    const key = tuple(tuple(string(), backwards), string());
    expect(key.id).toBe("tuple(tuple(string,backwards@7),string)");
    const operator = defineOperator("op", { key, states: { n: value<number>() }, maxParallelism: 8 });
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const task = await openTask(operator, { job: "job", backend });
    task.n.set([["a", "b"], "c"], 1);
    const from = memoryStorage();
    await task.savepoint(from);
    await refused({ from, maxParallelism: 4 }, unknown);
    const to = await rekeyed(from, 3);
    const other = defineOperator("op", { ...operator, maxParallelism: 3 });
    const again = await openTask(other, { job: "again", backend, restore: { savepoint: to } });
    expect(again.n.getSync([["a", "b"], "c"])).toBe(1);
  });

  test("T76 a savepoint of some of the key groups", async () => {
    const operator = defineOperator("op", { key: string(), states: { n: value<number>() }, maxParallelism: 8 });
    const group = keyGroupOf(string().hash("k"), 8);
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const keyGroups = KeyGroups.of([{ first: group, last: group }]);
    const task = await openTask(operator, { job: "job", backend, keyGroups });
    task.n.set("k", 1);
    const from = memoryStorage();
    await task.savepoint(from);
    await refused({ from, maxParallelism: 4 }, { code: "STATE_INCOMPATIBLE" });
  });

  test("T76 a source that is damaged anywhere, or in part missing", async () => {
    const { savepoint } = await saved(shape, { tasks: 2, changes: 60 });
    const objects = await objectsOf(savepoint);
    const damagedWith = async (name: string, body: Buffer | undefined): Promise<CheckpointStorage> => {
      const storage = memoryStorage();
      for (const [other, bytes] of objects) {
        const stored = other === name ? body : bytes;
        if (stored !== undefined) await storage.put(other, stored);
      }
      return storage;
    };
    for (const [name, bytes] of objects) {
      const code = expect.stringMatching(/CHECKPOINT_CORRUPT|CHECKPOINT_NOT_FOUND|FORMAT_UNSUPPORTED/) as unknown;
      await refused({ from: await damagedWith(name, undefined) }, { code });
      await refused({ from: await damagedWith(name, bytes.subarray(0, bytes.length - 1)) }, { code });
      // The first 8 bytes of a segment are its header, which the index at its end repeats.
      for (let at = name === SAVEPOINT_MANIFEST ? 0 : 8; at < bytes.length; at += 41) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] as number) ^ 0x10;
        await refused({ from: await damagedWith(name, flipped) }, { code });
      }
    }
  });
});
