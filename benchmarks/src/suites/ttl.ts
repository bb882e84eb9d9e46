/**
 * Reads that hit, of 1,000,000 random string keys: a value state whose values expire, against the same state without.
 *
 * How: every side of every repetition has a process of its own, and the sides take turns. Both read the same keys in the same order.
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

const HOUR_MS = 3_600_000;
const operators = {
  plain: defineOperator("plain", { key: string(), states: { counter: value<number>() } }),
  expiring: defineOperator("expiring", { key: string(), states: { counter: value<number>({ ttl: { ms: HOUR_MS } }) } }),
};

export const ttl: Suite<Trial, number> = {
  name: "ttl",
  backends: ["memory"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? { keyCount: 100_000, reads: 500_000 } : { keyCount: 1_000_000, reads: 4_000_000 };
    return takeTurns(SIDES, repetitions, (side, repetition) => ({ ...sizes, side, repetition }));
  },
  run: (trial, backend, places) => measureSide(trial, backend, places),
  rows(trials) {
    const of = (side: Trial["side"]): number[] =>
      trials.filter(({ trial }) => trial.side === side).map(({ result }) => result);
    return [
      measured({
        metric: "reads that hit",
        unit: "ops/s",
        values: of("expiring"),
        floors: of("plain"),
        rule: { of: "ratio", is: "at least", bar: 0.9 },
      }),
    ];
  },
};

async function measureSide(trial: Trial, name: BackendName, places: Places): Promise<number> {
  const keys = keysUpTo(trial.keyCount);
  const picks = uniformPicks(trial.reads, trial.keyCount, trial.repetition);
  const task = await openTask(operators[trial.side], { job: "ttl", backend: backendOf(name, places.own) });
  const state: SyncValueState<string, number, number | undefined> = task.counter;
  for (const [at, key] of keys.entries()) state.set(key, at);
  await task.checkpoint();
  read(state, keys, picks);
  cleanHeap();
  const started = performance.now();
  read(state, keys, picks);
  return (trial.reads * 1000) / (performance.now() - started);
}

/** The sum, so that no read can be left out. */
function read(
  state: SyncValueState<string, number, number | undefined>,
  keys: readonly string[],
  picks: ArrayLike<number>,
): number {
  let sum = 0;
  for (let at = 0; at < picks.length; at++) sum += state.getSync(keys[picks[at] as number] as string) ?? 0;
  return sum;
}
