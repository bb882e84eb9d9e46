/**
 * Reads that hit, and writes of keys that are there, of 1,000,000 random string keys: a value state whose values expire, against the
 * same state without.
 *
 * How: every side of every repetition has a process of its own, and the sides take turns. Both read and write the same keys in the same
 * order, once to warm up.
 */

import { defineOperator, openTask, string, type SyncValueState, value } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo, uniformPicks } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const SIDES = ["plain", "expiring"] as const;

interface Trial {
  readonly side: (typeof SIDES)[number];
  readonly repetition: number;
  readonly keyCount: number;
  readonly reads: number;
}

/** Operations per second. */
interface Speeds {
  readonly reads: number;
  readonly writes: number;
}

const HOUR_MS = 3_600_000;
const operators = {
  plain: defineOperator("plain", { key: string(), states: { counter: value<number>() } }),
  expiring: defineOperator("expiring", { key: string(), states: { counter: value<number>({ ttl: { ms: HOUR_MS } }) } }),
};

export const ttl: Suite<Trial, Speeds> = {
  name: "ttl",
  backends: ["memory"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? { keyCount: 100_000, reads: 500_000 } : { keyCount: 1_000_000, reads: 4_000_000 };
    return takeTurns(SIDES, repetitions, (side, repetition) => ({ ...sizes, side, repetition }));
  },
  run: (trial, backend, places) => measureSide(trial, backend, places),
  rows(trials) {
    const of = (side: Trial["side"], what: keyof Speeds): number[] =>
      trials.filter(({ trial }) => trial.side === side).map(({ result }) => result[what]);
    const row = (metric: string, what: keyof Speeds) =>
      ({ metric, unit: "ops/s", values: of("expiring", what), floors: of("plain", what) }) as const;
    return [
      measured({ ...row("reads that hit", "reads"), rule: { of: "ratio", is: "at least", bar: 0.9 } }),
      measured(row("writes", "writes")),
    ];
  },
};

async function measureSide(trial: Trial, name: BackendName, places: Places): Promise<Speeds> {
  const keys = keysUpTo(trial.keyCount);
  const picks = uniformPicks(trial.reads, trial.keyCount, trial.repetition);
  const task = await openTask(operators[trial.side], { job: "ttl", backend: backendOf(name, places.own) });
  const state: Counter = task.counter;
  for (const [at, key] of keys.entries()) state.set(key, at);
  await task.checkpoint();
  const reads = await speedOf(trial.reads, () => read(state, keys, picks), task);
  const writes = await speedOf(trial.reads, () => write(state, keys, picks), task);
  return { reads, writes };
}

/** Of the second of two passes; what the first one wrote is in a checkpoint by then. */
async function speedOf(
  count: number,
  pass: () => unknown,
  task: { readonly checkpoint: () => Promise<unknown> },
): Promise<number> {
  pass();
  await task.checkpoint();
  cleanHeap();
  const started = performance.now();
  pass();
  return (count * 1000) / (performance.now() - started);
}

type Counter = SyncValueState<string, number, number | undefined>;

function write(state: Counter, keys: readonly string[], picks: ArrayLike<number>): void {
  for (let at = 0; at < picks.length; at++) state.set(keys[picks[at] as number] as string, at);
}

/** The sum, so that no read can be left out. */
function read(state: Counter, keys: readonly string[], picks: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < picks.length; at++) sum += state.getSync(keys[picks[at] as number] as string) ?? 0;
  return sum;
}
