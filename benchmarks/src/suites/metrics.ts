/**
 * What metrics cost: read-modify-write over 200,000 random string keys, with a checkpoint after every 100,000 operations.
 *
 * What is compared, all against a process in which nobody ever listened to a channel:
 * - `nobody listens`: listeners came to every channel and went before the task was opened.
 * - `everybody listens`: a listener at every channel, which does nothing. For information.
 *
 * Why that is fair: a task that nobody listens to hands out its handles as they are, so nothing of a state access is left to be
 * measured (T105); what remains is a look at the channels at each checkpoint, and whatever the engine keeps of listeners that went.
 *
 * How: in processor time, since the difference asked for is smaller than what other programs of the machine take. Every side of every repetition has a process of its own, and the sides take turns. The first two epochs are not counted.
 */

import diagnostics from "node:diagnostics_channel";
import { openTask } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo, uniformPicks } from "../harness/keys.js";
import { counting } from "../harness/operators.js";
import { measured } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { addToState } from "./rmw-loops.js";

const SIDES = ["never", "gone", "heard"] as const;
const CHANNELS = [
  "tidemark:checkpoint:start",
  "tidemark:checkpoint:end",
  "tidemark:checkpoint:subsumed",
  "tidemark:restore",
  "tidemark:state:access",
  "tidemark:memory",
];
const KEY_COUNT = 200_000;
const EPOCH_OPERATIONS = 100_000;
const WARM_UP_EPOCHS = 2;

interface Trial {
  readonly side: (typeof SIDES)[number];
  readonly repetition: number;
  readonly epochs: number;
}

export const metrics: Suite<Trial, number> = {
  name: "metrics",
  backends: ["memory"],
  heapMiB: 2048,
  trials({ isQuick, repetitions }: Scale) {
    const epochs = isQuick ? 5 : 30;
    return takeTurns(SIDES, repetitions, (side, repetition) => ({ side, repetition, epochs }));
  },
  run: (trial, backend, places) => measureSide(trial, backend, places),
  rows(trials) {
    const of = (side: Trial["side"]): number[] =>
      trials.filter(({ trial }) => trial.side === side).map(({ result }) => result);
    const row = (metric: string, side: Trial["side"]) =>
      ({ metric, unit: "ops/s", values: of(side), floors: of("never") }) as const;
    return [
      measured({ ...row("nobody listens", "gone"), rule: { of: "ratio", is: "at least", bar: 0.98 } }),
      measured(row("everybody listens", "heard")),
    ];
  },
};

/** Operations per second of processor time, checkpoints counted in. */
async function measureSide({ side, epochs, repetition }: Trial, name: BackendName, places: Places): Promise<number> {
  const ignore = (): void => {};
  if (side !== "never") for (const channel of CHANNELS) diagnostics.subscribe(channel, ignore);
  if (side === "gone") for (const channel of CHANNELS) diagnostics.unsubscribe(channel, ignore);
  const keys = keysUpTo(KEY_COUNT);
  const picks = uniformPicks(EPOCH_OPERATIONS * (epochs + WARM_UP_EPOCHS), KEY_COUNT, repetition);
  const task = await openTask(counting, { job: "metrics", backend: backendOf(name, places.own) });
  for (const key of keys) task.counter.set(key, 0);
  await task.checkpoint();
  let before = process.cpuUsage();
  for (let epoch = 0; epoch < epochs + WARM_UP_EPOCHS; epoch++) {
    if (epoch === WARM_UP_EPOCHS) {
      cleanHeap();
      before = process.cpuUsage();
    }
    const from = epoch * EPOCH_OPERATIONS;
    addToState(task.counter, { keys, picks }, from, from + EPOCH_OPERATIONS);
    await task.checkpoint();
  }
  const { user, system } = process.cpuUsage(before);
  return (epochs * EPOCH_OPERATIONS * 1_000_000) / (user + system);
}
