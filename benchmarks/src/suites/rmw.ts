/**
 * Read-modify-write over 1,000,000 random string keys, an epoch ended every 250,000 operations.
 *
 * What is compared:
 * - `sync ops`: `getSync` and `set`, against `get` and `set` of a raw `Map` with the same keys, in the same order. Only the
 *   loops are timed. Every epoch is ended by a checkpoint, which is awaited before the next loop begins.
 * - `async ops`: `await get` and `set`, against the same on a `Map` behind an `async` function.
 * - `wall with checkpoints`: one clock around everything. A checkpoint runs while the operations of the next epoch do, which let
 *   the event loop turn every few milliseconds; the last one is awaited. Against the loop of `sync ops` on the raw `Map`.
 * - `sync ops, objects`: as `sync ops`, with a new small object at each write.
 *
 * How: every side of every repetition has a process of its own, and the sides take turns, because the garbage of one would be
 * collected at the expense of the other. Both sides get an epoch to warm up and a clean heap before each timed loop.
 */

import { defineOperator, openTask, string, value } from "@tidemark/core";
import type { SyncValueState } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { counting } from "../harness/operators.js";
import { keysUpTo, uniformPicks } from "../harness/keys.js";
import { measured, type Rule } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import {
  addToMap,
  addToObjectMap,
  addToObjects,
  addToState,
  addToStateAwaiting,
  asyncMap,
  type Totals,
  type Work,
} from "./rmw-loops.js";

const SIDES = ["map", "map async", "map objects", "state", "state async", "state objects", "state wall"] as const;

type Side = (typeof SIDES)[number];

interface Sizes {
  readonly keyCount: number;
  readonly epochOperations: number;
  readonly epochCount: number;
}

interface Trial extends Sizes {
  readonly side: Side;
  readonly repetition: number;
}

const FULL: Sizes = { keyCount: 1_000_000, epochOperations: 250_000, epochCount: 8 };
const QUICK: Sizes = { keyCount: 100_000, epochOperations: 25_000, epochCount: 8 };
/** For so long the loop of `wall` keeps the event loop to itself. */
const TURN_MS = 3;
/** So many operations are done between two looks at the clock. */
const BURST = 500;

/** Operations per second. */
type Result = number;

export const rmw: Suite<Trial, Result> = {
  name: "rmw",
  backends: ["memory", "filesystem"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? QUICK : FULL;
    return takeTurns(SIDES, repetitions, (side, repetition) => ({ ...sizes, side, repetition }));
  },
  run: (trial, backend, places) => measureSide(trial, backend, places),
  rows(trials) {
    const of = (side: Side): number[] => trials.filter(({ trial }) => trial.side === side).map(({ result }) => result);
    const row = (metric: string, subject: Side, floor: Side, bar?: number) => {
      const rule: Rule | undefined = bar === undefined ? undefined : { of: "ratio", is: "at least", bar };
      const sides = { values: of(subject), floors: of(floor) };
      return measured({ metric, unit: "ops/s", ...sides, ...(rule && { rule }) });
    };
    return [
      row("sync ops", "state", "map", 0.5),
      row("async ops", "state async", "map async", 0.6),
      row("wall with checkpoints", "state wall", "map", 0.2),
      row("sync ops, objects", "state objects", "map objects"),
    ];
  },
};

async function measureSide(trial: Trial, backend: BackendName, places: Places): Promise<Result> {
  const { keyCount, epochOperations, epochCount } = trial;
  // One epoch more, to warm up.
  const picks = uniformPicks(epochOperations * (epochCount + 1), keyCount, trial.repetition);
  const work: Work = { keys: keysUpTo(keyCount), picks };
  switch (trial.side) {
    case "map":
    case "map async":
    case "map objects":
      return timeLoops(trial, mapLoop(trial.side, work), async () => {});
    case "state":
    case "state async":
    case "state objects":
    case "state wall":
      return measureState(trial, work, { backend, places });
  }
}

type Loop = (from: number, until: number) => void | Promise<void>;

function mapLoop(side: "map" | "map async" | "map objects", work: Work): Loop {
  if (side === "map objects") {
    const totals = new Map<string, Totals>(work.keys.map((key) => [key, { count: 0, total: 0 }]));
    return (from, until) => addToObjectMap(totals, work, from, until);
  }
  const counters = new Map<string, number>(work.keys.map((key) => [key, 0]));
  if (side === "map") return (from, until) => addToMap(counters, work, from, until);
  const behindAsync = asyncMap(counters);
  return (from, until) => addToStateAwaiting(behindAsync, work, from, until);
}

const NOTHING: Totals = { count: 0, total: 0 };
const totalling = defineOperator("totalling", {
  key: string(),
  states: { totals: value<Totals>({ default: NOTHING }) },
});

async function measureState(
  trial: Trial,
  work: Work,
  { backend: name, places }: { readonly backend: BackendName; readonly places: Places },
): Promise<Result> {
  const backend = backendOf(name, places.own);
  const options = { job: "rmw", backend };
  if (trial.side === "state objects") {
    const task = await openTask(totalling, options);
    for (const key of work.keys) task.totals.set(key, NOTHING);
    await task.checkpoint();
    return timeLoops(
      trial,
      (from, until) => addToObjects(task.totals, work, from, until),
      () => task.checkpoint(),
    );
  }
  const task = await openTask(counting, options);
  const { counter } = task;
  for (const key of work.keys) counter.set(key, 0);
  await task.checkpoint();
  const endEpoch = (): Promise<unknown> => task.checkpoint();
  if (trial.side === "state wall") return timeWall(trial, inTurns(counter, work), endEpoch);
  return timeLoops(
    trial,
    trial.side === "state async"
      ? (from, until) => addToStateAwaiting(counter, work, from, until)
      : (from, until) => addToState(counter, work, from, until),
    endEpoch,
  );
}

/** Times the loops alone. The first is not counted. */
async function timeLoops(sizes: Sizes, loop: Loop, endEpoch: () => Promise<unknown>): Promise<Result> {
  const { epochOperations, epochCount } = sizes;
  let elapsedMs = 0;
  for (let epoch = 0; epoch <= epochCount; epoch++) {
    cleanHeap();
    const from = epoch * epochOperations;
    const started = performance.now();
    await loop(from, from + epochOperations);
    if (epoch > 0) elapsedMs += performance.now() - started;
    await endEpoch();
  }
  return (epochCount * epochOperations * 1000) / elapsedMs;
}

/** Times everything from the second epoch on. */
async function timeWall(sizes: Sizes, loop: Loop, endEpoch: () => Promise<unknown>): Promise<Result> {
  const { epochOperations, epochCount } = sizes;
  await loop(0, epochOperations);
  await endEpoch();
  cleanHeap();
  const started = performance.now();
  let checkpoint: Promise<unknown> = Promise.resolve();
  for (let epoch = 1; epoch <= epochCount; epoch++) {
    const from = epoch * epochOperations;
    await loop(from, from + epochOperations);
    await checkpoint;
    checkpoint = endEpoch();
  }
  await checkpoint;
  return (epochCount * epochOperations * 1000) / (performance.now() - started);
}

function inTurns(counter: SyncValueState<string, number, number>, work: Work): Loop {
  return async (from, until) => {
    let turnStarted = performance.now();
    for (let at = from; at < until; at += BURST) {
      addToState(counter, work, at, Math.min(until, at + BURST));
      if (performance.now() - turnStarted < TURN_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnStarted = performance.now();
    }
  };
}
