/**
 * The history that the golden bytes were made by: every kind of state, keys and values that are hard to keep, and a chain of a
 * base, a compacted segment and a delta with deletions and clears.
 *
 * Invariants:
 * - Never changed: another history is another fixture, in a folder of its own.
 */

import {
  aggregating,
  bigint,
  broadcast,
  bytes,
  type CheckpointStorage,
  type Compression,
  defineOperator,
  float64,
  integer,
  type Job,
  KeyGroups,
  list,
  map,
  memoryStorage,
  namespaced,
  number,
  openJob,
  type Restore,
  type ScalarKey,
  scalar,
  splitList,
  string,
  type TaskOf,
  tuple,
  unionList,
  value,
  reducing,
} from "../../src/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { seededRandom } from "../support/seeded-random.js";
import { STRUCTURED } from "./expected.js";

const sum = (a: number, b: number): number => a + b;
const mean = {
  create: () => ({ sum: 0, count: 0 }),
  add: (input: number, { sum, count }: { sum: number; count: number }) => ({ sum: sum + input, count: count + 1 }),
  result: ({ sum, count }: { sum: number; count: number }) => sum / count,
};

export const EVERY_KIND = defineOperator("every kind, ä 😀", {
  key: scalar(),
  maxParallelism: 8,
  states: {
    values: value<unknown>(),
    counts: value({ codec: integer(), default: 0 }),
    lists: list<unknown>(),
    maps: map<ScalarKey, unknown>(),
    totals: reducing(sum, { codec: float64() }),
    means: aggregating(mean),
    "window values": namespaced(number(), value<string>()),
    "window lists": namespaced(tuple(string(), number()), list<number>()),
    "window maps": namespaced(bigint(), map<string, number>({ field: string() })),
    "window totals": namespaced(bytes(), reducing(sum)),
    "window means": namespaced(string(), aggregating(mean)),
  },
});

export const SPREAD = defineOperator("spread", {
  key: string(),
  maxParallelism: 4,
  states: {
    constructor: value<number>(),
    split: splitList<string>(),
    union: unionList<number>(),
    rules: broadcast<string, unknown>(),
  },
});

export const GOLDEN_TASKS = [
  { operator: EVERY_KIND },
  { operator: SPREAD, keyGroups: KeyGroups.of([{ first: 0, last: 1 }]) },
  { operator: SPREAD, keyGroups: KeyGroups.of([{ first: 2, last: 3 }]) },
] as const;

type EveryTask = TaskOf<typeof EVERY_KIND, true>;
export type SpreadTask = TaskOf<typeof SPREAD, true>;
export type GoldenJob = Job<readonly [EveryTask, SpreadTask, SpreadTask]>;

export interface GoldenPlace {
  readonly storage: CheckpointStorage;
  readonly job: string;
  readonly compression: Compression;
}

export interface GoldenStart {
  readonly clock?: ManualClock;
  readonly seed?: number;
  readonly restore?: Restore;
}

/** Opens the job on `storage`, with a clock and randomness that repeat. */
export async function openGolden(
  { storage, job, compression }: GoldenPlace,
  { clock = new ManualClock(), seed = 1, restore = "latest" }: GoldenStart = {},
): Promise<GoldenJob> {
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const random = seededRandom(seed);
  const options = { retain: 2, graceMs: 0, compression, clock, random, restore } as const;
  return openJob({ job, backend, tasks: GOLDEN_TASKS, ...options });
}

/** Runs the history in two attempts. Gives what it left in the checkpoint storage, and a savepoint of the same state. */
export async function runGolden(
  job: string,
  compression: Compression,
): Promise<{ readonly storage: CheckpointStorage; readonly savepoint: CheckpointStorage }> {
  const place = { storage: memoryStorage(), job, compression };
  const clock = new ManualClock();
  const first = await openGolden(place, { clock });
  writeBase(first);
  await first.checkpoint();
  for (let step = 0; step < 8; step++) {
    clock.advance(1000);
    writeStep(first, step);
    await first.checkpoint();
  }
  await first.close();
  const second = await openGolden(place, { clock, seed: 2 });
  clock.advance(1000);
  writeEnd(second);
  await second.checkpoint();
  const savepoint = memoryStorage();
  clock.advance(1000);
  await second.savepoint(savepoint);
  await second.close();
  return { storage: place.storage, savepoint };
}

function writeBase({ tasks: [every, ...spread] }: GoldenJob): void {
  for (let i = 0; i < 150; i++) every.counts.set(`filler ${i}`, i);
  for (const [name, content] of STRUCTURED) every.values.set(name, content);
  for (const key of ["cleared", "deleted", "kept"]) {
    every.values.set(key, key);
    every.totals.addSync(key, 1.5);
    every.means.addSync(key, 1);
    every.lists.addAll(key, [1, 2]);
    for (let field = 0; field < 3; field++) every.maps.set(key, field, `base ${field}`);
    every.states["window values"].in(1).set(key, "one");
    every.states["window values"].in(-2).set(key, "minus two");
    every.states["window lists"].in(["w\0", 0.5]).addAll(key, [1, 2]);
    every.states["window maps"].in(-(1n << 70n)).set(key, "a", 1);
    every.states["window maps"].in(-(1n << 70n)).set(key, "b", 2);
    every.states["window totals"].in(Uint8Array.of(0, 255)).addSync(key, 5);
    every.states["window means"].in("😀").addSync(key, 5);
  }
  for (const task of spread) {
    task.rules.set("b", { rate: 2 });
    task.rules.set("a", null);
    task.rules.set("gone", 1);
    for (let i = 0; i < 12; i++) setOwned(task, `key ${i}`, i);
  }
  spread.forEach((task, i) => {
    task.split.set([`first ${i}`]);
    task.union.set([i]);
  });
}

/** Eight of these, one per checkpoint, are compacted into one segment. */
function writeStep({ tasks: [every, ...spread] }: GoldenJob, step: number): void {
  every.counts.set("filler 0", 1000 + step);
  every.lists.add("kept", { step });
  every.maps.set("kept", `step ${step}`, step);
  every.states["window maps"].in(0n).set("kept", `${step}`, step);
  spread.forEach((task, i) => {
    task.split.add(`step ${step} of ${i}`);
    setOwned(task, "key 3", 100 + step);
  });
  if (step === 2) every.maps.clear("cleared");
  if (step === 3) every.maps.set("cleared", "after the clear", true);
  if (step === 4) every.lists.set("cleared", ["replaced"]);
  if (step === 5) every.lists.add("cleared", "appended");
}

function writeEnd({ tasks: [every, ...spread] }: GoldenJob): void {
  const key = "deleted";
  every.values.delete(key);
  every.totals.delete(key);
  every.means.delete(key);
  every.lists.delete(key);
  every.maps.clear(key);
  every.maps.delete("kept", 1);
  every.states["window values"].in(1).delete(key);
  every.states["window lists"].in(["w\0", 0.5]).delete(key);
  every.states["window maps"].in(-(1n << 70n)).clear(key);
  every.states["window totals"].in(Uint8Array.of(0, 255)).delete(key);
  every.states["window means"].in("😀").delete(key);
  every.states["window maps"].in(-(1n << 70n)).clear("cleared");
  every.states["window maps"].in(-(1n << 70n)).set("cleared", "c", 3);
  every.states["window lists"].in(["w\0", 0.5]).set("cleared", [9]);
  every.totals.addSync("kept", 0.25);
  every.means.addSync("kept", 2);
  for (const task of spread) {
    task.rules.delete("gone");
    task.rules.set("é", [1n]);
  }
}

function setOwned(task: SpreadTask, key: string, content: number): void {
  try {
    task.states.constructor.set(key, content);
  } catch (error) {
    // The other task owns it.
    if ((error as { code?: unknown }).code !== "KEY_NOT_OWNED") throw error;
  }
}
