/** Maps of few fields are packed into one entry: that nothing of it shows, through checkpoints, restores, expiry and new codecs. */

import { describe, expect, test } from "vitest";
import { decodeManifest } from "../src/checkpoint/manifest.js";
import {
  broadcast,
  type CheckpointStorage,
  type Codec,
  defineOperator,
  evolved,
  former,
  map,
  memoryStorage,
  namespaced,
  openTask,
  string,
  text,
  type TtlOptions,
} from "../src/index.js";
import { ManualClock } from "./support/manual-clock.js";
import { objectsOf } from "./support/objects.js";
import { type SeededRandom, seededRandom } from "./support/seeded-random.js";

const KEYS = ["a", "b", "c"];
const FIELDS = [..."0123456789ab"];
/** Of which one, some or all fields are more than is packed. */
const SIZES = [0, 1, 5, 24, 28, 30, 70, 250, 256, 3000];
const MS = 10;

interface Opening {
  readonly checkpoints?: CheckpointStorage;
  readonly clock?: ManualClock;
  readonly codec?: Codec<string>;
  readonly ttl?: TtlOptions;
  readonly savepoint?: CheckpointStorage;
}

function open({ checkpoints = memoryStorage(), clock = new ManualClock(), codec = text(), ttl, savepoint }: Opening) {
  const options = { codec, field: string(), ...(ttl === undefined ? {} : { ttl }) };
  const operator = defineOperator("op", {
    key: string(),
    maxParallelism: 2,
    states: {
      fields: map(options),
      windows: namespaced(string(), map(options)),
      rules: broadcast({ codec, field: string() }),
    },
  });
  const backend = { name: "memory", sync: true, checkpoints } as const;
  const restore = savepoint === undefined ? "latest" : { savepoint };
  return openTask(operator, { job: "job", backend, clock, restore });
}

type Task = Awaited<ReturnType<typeof open>>;

/** What the maps hold, as plain maps, each field with the moment at which it expires. */
type Fields = Map<string, { readonly value: string; readonly expiry: number }>;
type Model = Map<string, Fields>;

/** One of the maps of a task, by a name that says which. */
function mapsOf(task: Task): Readonly<Record<string, readonly (readonly [string, string])[]>> {
  const found: Record<string, readonly (readonly [string, string])[]> = { rules: [...task.rules.entries()] };
  for (const key of KEYS) {
    found[`fields ${key}`] = [...task.fields.entriesSync(key)];
    found[`windows ${key}`] = [...task.windows.in("w").entriesSync(key)];
  }
  return found;
}

interface Maps {
  readonly set: (field: string, value: string) => void;
  readonly delete: (field: string) => void;
  readonly clear: () => void;
}

function mapOf(task: Task, name: string): Maps {
  const [state, key = ""] = name.split(" ");
  if (state === "rules") return task.rules;
  const keyed = state === "fields" ? task.fields : task.windows.in("w");
  return {
    set: (field, value) => keyed.set(key, field, value),
    delete: (field) => keyed.delete(key, field),
    clear: () => keyed.clear(key),
  };
}

function writeSome(task: Task, model: Model, random: SeededRandom, expiry: number): void {
  const names = Object.keys(mapsOf(task));
  for (let count = random.below(5); count > 0; count--) {
    const name = names[random.below(names.length)] as string;
    const written = mapOf(task, name);
    const fields = model.get(name) ?? (new Map() as Fields);
    model.set(name, fields);
    const kind = random.below(10);
    if (kind === 0) {
      written.clear();
      fields.clear();
    }
    for (let left = random.below(kind === 1 ? FIELDS.length : 4); left > 0; left--) {
      const field = FIELDS[random.below(FIELDS.length)] as string;
      if (random.below(3) === 0) {
        written.delete(field);
        fields.delete(field);
      } else {
        const value = "x".repeat(SIZES[random.below(kind < 7 ? 4 : SIZES.length)] as number);
        written.set(field, value);
        fields.set(field, { value, expiry: name === "rules" ? Number.POSITIVE_INFINITY : expiry });
      }
    }
  }
}

function expectModel(task: Task, model: Model, now: number): void {
  for (const [name, entries] of Object.entries(mapsOf(task))) {
    const expected = [...(model.get(name) ?? [])].filter(([, { expiry }]) => expiry > now);
    expect(entries, name).toEqual(expected.map(([field, { value }]) => [field, value]).sort());
  }
  for (const [state, keys] of [
    ["fields", [...task.fields.keysSync()]],
    ["windows", [...task.windows.in("w").keysSync()]],
  ] as const) {
    const isLive = (key: string): boolean =>
      [...(model.get(`${state} ${key}`)?.values() ?? [])].some(({ expiry }) => expiry > now);
    expect([...keys].sort(), state).toEqual(KEYS.filter(isLive));
  }
}

/** Entries of the segments that the latest checkpoint of a storage stands on, oldest first. */
async function entryCounts(checkpoints: CheckpointStorage): Promise<number[]> {
  const objects = [...(await objectsOf(checkpoints))].filter(([name]) => name.includes("/checkpoint/"));
  const [name, body] = objects.at(-1) as [string, Buffer];
  return decodeManifest(body, name).operators.flatMap(({ tasks }) =>
    tasks.flatMap(({ segments }) => segments.map(({ entries }) => entries)),
  );
}

describe("T38 maps that grow and shrink over many checkpoints are what was written, after each restore", () => {
  const SEEDS = Array.from({ length: 12 }, (_, i) => i);
  test.each(SEEDS)("seed %i", async (seed) => {
    const random = seededRandom(seed);
    const checkpoints = memoryStorage();
    const clock = new ManualClock();
    const ttl = seed % 2 === 0 ? undefined : { ms: MS };
    const opening = { checkpoints, clock, ...(ttl === undefined ? {} : { ttl }) };
    const model: Model = new Map();
    let task = await open(opening);
    for (let step = 0; step < 40; step++) {
      const expiry = ttl === undefined ? Number.POSITIVE_INFINITY : clock.now() + MS;
      writeSome(task, model, random, expiry);
      const full = random.below(12) === 0;
      const under = task.checkpoint({ full });
      writeSome(task, model, random, expiry);
      await under;
      expectModel(task, model, clock.now());
      clock.advance(random.below(4));
      await task.checkpoint();
      if (random.below(2) === 0) {
        await task.close();
        task = await open(opening);
      } else {
        const copy = await open({ ...opening, checkpoints: await copyOf(checkpoints) });
        expectModel(copy, model, clock.now());
        await copy.close();
      }
      expectModel(task, model, clock.now());
    }
    const savepoint = memoryStorage();
    await task.savepoint(savepoint);
    await task.close();
    expectModel(await open({ ...opening, checkpoints: memoryStorage(), savepoint }), model, clock.now());
  });
});

async function copyOf(storage: CheckpointStorage): Promise<CheckpointStorage> {
  const copy = memoryStorage();
  for (const [name, body] of await objectsOf(storage)) await copy.put(name, body);
  return copy;
}

test("T37 a checkpoint has one entry for a map of few fields", async () => {
  const checkpoints = memoryStorage();
  const task = await open({ checkpoints });
  for (let i = 0; i < 100; i++) for (const field of FIELDS.slice(0, 8)) task.fields.set(`key ${i}`, field, "v");
  await task.checkpoint();
  expect(await entryCounts(checkpoints)).toEqual([100]);
  task.fields.set("key 1", "0", "new");
  task.fields.set("key 2", "another", "new");
  await task.checkpoint();
  expect(await entryCounts(checkpoints)).toEqual([100, 11]);
});

test("T39 a write of a map of many bytes writes that field only", async () => {
  const checkpoints = memoryStorage();
  const task = await open({ checkpoints });
  for (const field of FIELDS.slice(0, 8)) task.fields.set("a", field, "x".repeat(100_000));
  for (let i = 0; i < 100; i++) task.fields.set(`key ${i}`, "0", "x".repeat(10_000));
  await task.checkpoint();
  task.fields.set("a", "3", "new");
  const { incrementalBytes } = await task.checkpoint();
  expect(incrementalBytes).toBeLessThan(1000);
});

describe("T41", () => {
  const checkpoint = async (task: Task) => {
    await task.checkpoint();
    await task.close();
  };

  test("fields of a packed map expire each by itself, and it goes from the segments when all have", async () => {
    const opening = { checkpoints: memoryStorage(), clock: new ManualClock(), ttl: { ms: MS } };
    const task = await open(opening);
    task.fields.set("a", "early", "1");
    opening.clock.advance(5);
    task.fields.set("a", "late", "2");
    await checkpoint(task);
    opening.clock.advance(5);
    const second = await open(opening);
    expect(second.fields.entriesSync("a")).toEqual([["late", "2"]]);
    await second.checkpoint({ full: true });
    expect(await entryCounts(opening.checkpoints)).toEqual([1]);
    opening.clock.advance(4);
    expect(second.fields.entriesSync("a")).toEqual([["late", "2"]]);
    opening.clock.advance(1);
    await second.checkpoint({ full: true });
    expect(await entryCounts(opening.checkpoints)).toEqual([0]);
  });

  test.each([3, 20])("values of %i fields in a former codec are migrated inside of packed entries", async (count) => {
    for (const ttl of [undefined, { ms: MS }]) {
      const opening = { checkpoints: memoryStorage(), clock: new ManualClock(), ...(ttl === undefined ? {} : { ttl }) };
      const task = await open({ ...opening, codec: { ...text(), id: "lower" } });
      const fields = Array.from({ length: count }, (_, i) => `${i}`.padStart(2, "0"));
      for (const field of fields) {
        task.fields.set("a", field, `v${field}`);
        task.windows.in("w").set("a", field, `v${field}`);
        task.rules.set(field, `v${field}`);
      }
      await checkpoint(task);
      const codec = evolved(
        text(),
        former({ ...text(), id: "lower" }, (old) => old.toUpperCase()),
      );
      for (const full of [false, true]) {
        const restored = await open({ ...opening, codec });
        const expected = fields.map((field) => [field, `V${field}`]);
        expect(mapsOf(restored)).toMatchObject({ "fields a": expected, "windows a": expected, rules: expected });
        await restored.checkpoint({ full });
        await restored.close();
      }
      opening.clock.advance(MS);
      const last = await open({ ...opening, codec });
      expect(last.fields.entriesSync("a")).toHaveLength(ttl === undefined ? count : 0);
    }
  });

  test.each([3, 20])("the time to live of %i fields can be turned on and off", async (count) => {
    const opening = { checkpoints: memoryStorage(), clock: new ManualClock() };
    const task = await open(opening);
    for (let i = 0; i < count; i++) task.fields.set("a", `${i}`, "v");
    await checkpoint(task);
    const on = await open({ ...opening, ttl: { ms: MS } });
    opening.clock.advance(MS - 1);
    expect(on.fields.entriesSync("a")).toHaveLength(count);
    on.fields.set("a", "0", "later");
    await checkpoint(on);
    opening.clock.advance(1);
    const off = await open(opening);
    expect(off.fields.entriesSync("a")).toEqual([["0", "later"]]);
    await checkpoint(off);
    opening.clock.advance(10 * MS);
    const again = await open(opening);
    expect(again.fields.entriesSync("a")).toEqual([["0", "later"]]);
    again.fields.set("a", "1", "v");
    await checkpoint(again);
    expect((await open(opening)).fields.entriesSync("a")).toHaveLength(2);
  });
});
