/**
 * Working state in LevelDB that has four times the size of its memory, against a bare `ClassicLevel` with the same memory.
 *
 * - 2,000,000 keys of 16 bytes with values of 100; `memory` is a quarter of that. Changes read a value, count it up and write it; the clock of the
 *   state includes incremental checkpoints every 250,000 changes, and those that it takes for want of memory. `uniform` and `zipf` read
 *   by `getSync`, `in flight` with 1,000 records at once.
 * - `listed`: `keys()` to the end, against an iterator over keys and values, which is what a store reads; and, without a bar, against one over keys alone.
 * - `rebuilt`: `openTask` on a checkpoint without working state, against putting the same rows in order.
 * - `checkpoints cost`: the wall time of the uniform changes with a checkpoint every 250,000 against that with one at the end; here memory for
 *   changes is without limit on both sides.
 * - `restarted`: `openTask` on working state that is there, up to the first changed record.
 *
 * How: one trial for each side fills a directory, in key order; all others begin with a copy of that, in a process of their own, and the sides
 * take turns.
 */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo } from "../harness/keys.js";
import { type Measured, measured, type Rule } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { changeManyRaw, changeRaw, listRaw, loadRaw, openRaw } from "./lsm-raw.js";
import {
  changeState,
  changeStateInFlight,
  fillState,
  listState,
  openFirst,
  openState,
  removeWorkingState,
  type StatePlace,
} from "./lsm-state.js";
import { budgetOf, type Sizes, type Work, workOf } from "./lsm-work.js";

const RAW = ["raw uniform", "raw zipf", "raw in flight", "raw listed", "raw keys", "raw rebuilt"] as const;
const STATE = [
  "uniform",
  "zipf",
  "in flight",
  "listed",
  "rebuilt",
  "restarted",
  "checkpoints",
  "one checkpoint",
] as const;

type Side = "fill raw" | "fill" | (typeof RAW)[number] | (typeof STATE)[number];

interface Trial extends Sizes {
  readonly side: Side;
  readonly repetition: number;
}

/** Milliseconds. */
type Result = number;

const FULL: Sizes = { keyCount: 2_000_000, operations: 1_000_000, checkpointEvery: 250_000 };
/** With fewer keys a quarter of them would be less than the least memory that there can be. */
const QUICK: Sizes = { keyCount: 600_000, operations: 100_000, checkpointEvery: 25_000 };
const NO_LIMIT_BYTES = 2 ** 31;

export const lsm: Suite<Trial, Result> = {
  name: "lsm",
  backends: ["lsm"],
  heapMiB: 2048,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? QUICK : FULL;
    const trialOf = (side: Side, repetition: number): Trial => ({ ...sizes, side, repetition });
    const measuredSides = takeTurns<Side, Trial>([...RAW, ...STATE], repetitions, trialOf);
    return [trialOf("fill raw", 0), trialOf("fill", 0), ...measuredSides];
  },
  run: (trial, _backend, places) => (trial.side.includes("raw") ? runRaw(trial, places) : runState(trial, places)),
  rows(trials) {
    const of = (side: Side): number[] => trials.filter(({ trial }) => trial.side === side).map(({ result }) => result);
    const { keyCount, operations } = trials[0]?.trial ?? FULL;
    const speed = (side: (typeof STATE)[number] & Without<"raw ", (typeof RAW)[number]>, count: number, bar: number) =>
      measured({
        metric: side,
        unit: count === operations ? "ops/s" : "entries/s",
        values: of(side).map((ms) => (count * 1000) / ms),
        floors: of(`raw ${side}`).map((ms) => (count * 1000) / ms),
        rule: { of: "ratio", is: "at least", bar },
      });
    return [
      speed("uniform", operations, 0.7),
      speed("zipf", operations, 3),
      speed("in flight", operations, 0.7),
      speed("listed", keyCount, 0.7),
      speed("rebuilt", keyCount, 0.6),
      inSeconds("listed, against keys alone", of("listed"), of("raw keys")),
      inSeconds("checkpoints cost", of("checkpoints"), of("one checkpoint"), { of: "ratio", is: "at most", bar: 1.3 }),
      inSeconds("restarted, against rebuilt", of("restarted"), of("rebuilt")),
    ];
  },
};

type Without<Prefix extends string, Name> = Name extends `${Prefix}${infer Rest}` ? Rest : never;

function inSeconds(metric: string, values: readonly number[], floors: readonly number[], rule?: Rule): Measured {
  const sides = { values: values.map((ms) => ms / 1000), floors: floors.map((ms) => ms / 1000) };
  return measured({ metric, unit: "s", ...sides, ...(rule && { rule }) });
}

async function runRaw(trial: Trial, places: Places): Promise<Result> {
  const { side, keyCount } = trial;
  const budgetBytes = budgetOf(keyCount);
  const filled = join(places.shared, "raw");
  const own = join(places.own, "raw");
  if (side === "raw rebuilt" || side === "fill raw") {
    const database = await openRaw(side === "fill raw" ? filled : own, budgetBytes);
    const elapsedMs = await loadRaw(database, keysUpTo(keyCount));
    await database.close();
    return elapsedMs;
  }
  await cp(filled, own, { recursive: true });
  const database = await openRaw(own, budgetBytes);
  const work = side === "raw listed" || side === "raw keys" ? undefined : changes(trial);
  cleanHeap();
  if (work === undefined) return listRaw(database, keyCount, side === "raw keys" ? "keys" : "rows");
  return side === "raw in flight" ? changeManyRaw(database, work) : changeRaw(database, work);
}

async function runState(trial: Trial, places: Places): Promise<Result> {
  const { side, keyCount, operations, checkpointEvery } = trial;
  const budgetBytes = budgetOf(keyCount);
  const filled: StatePlace = { directory: join(places.shared, "state"), budgetBytes };
  if (side === "fill") return fill(filled, keyCount);
  const directory = join(places.own, "state");
  await cp(filled.directory, directory, { recursive: true });
  if (side === "rebuilt") await removeWorkingState(directory);
  if (side === "rebuilt" || side === "restarted") return openFirst({ directory, budgetBytes });
  const isUnlimited = side === "checkpoints" || side === "one checkpoint";
  const task = await openState({ directory, budgetBytes, ...(isUnlimited && { memoryBytes: NO_LIMIT_BYTES }) });
  const work = side === "listed" ? undefined : changes(trial);
  cleanHeap();
  if (work === undefined) return listState(task, keyCount);
  if (side === "in flight") return changeStateInFlight(task, work, checkpointEvery);
  return changeState(task, work, side === "one checkpoint" ? operations : checkpointEvery);
}

/** The working state is in key order too: it is rebuilt from the checkpoint. */
async function fill(place: StatePlace, keyCount: number): Promise<Result> {
  const started = performance.now();
  const keys = keysUpTo(keyCount);
  const task = await openState(place);
  await fillState(task, keyCount, (index) => keys[index] as string);
  await task.close();
  await removeWorkingState(place.directory);
  await (await openState(place)).close();
  return performance.now() - started;
}

function changes(trial: Trial): Work {
  return workOf(trial, trial.side.endsWith("zipf") ? "zipf" : "uniform", trial.repetition);
}
