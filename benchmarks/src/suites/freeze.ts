/**
 * How long the barrier of a checkpoint holds a task up, by how much state there is and how much of it is dirty.
 *
 * How: `syncPauseMs` of the checkpoint, one process for each size and repetition. The first checkpoint after filling the state has
 * all of it dirty, the second one 1 %. The barrier does not touch the storage, so one backend stands for all.
 */

import { keysUpTo, uniformPicks } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { openFor } from "../harness/value-kinds.js";

const FULL = [10_000, 100_000, 1_000_000, 4_000_000];
const QUICK = [10_000, 100_000];
const PAUSE_MAX_MS = 1;

interface Trial {
  readonly entries: number;
  readonly repetition: number;
}

/** Pauses, milliseconds. */
interface Result {
  readonly all: number;
  readonly some: number;
}

export const freeze: Suite<Trial, Result> = {
  name: "freeze",
  backends: ["memory"],
  heapMiB: 8192,
  trials: ({ isQuick, repetitions }: Scale) =>
    takeTurns(isQuick ? QUICK : FULL, repetitions, (entries, repetition) => ({ entries, repetition })),
  async run({ entries, repetition }, backend, places) {
    const { job, put } = await openFor("numbers", backend, places.own);
    const keys = keysUpTo(entries);
    keys.forEach((key, index) => put(key, index));
    const { syncPauseMs: all } = await job.checkpoint();
    for (const index of uniformPicks(entries / 100, entries, repetition)) put(keys[index] as string, index + 1);
    const { syncPauseMs: some } = await job.checkpoint();
    return { all, some };
  },
  rows(trials) {
    const sizes = [...new Set(trials.map(({ trial }) => trial.entries))];
    return sizes.flatMap((entries) => {
      const results = trials.filter(({ trial }) => trial.entries === entries).map(({ result }) => result);
      const row = (share: string, values: readonly number[]) =>
        measured({
          metric: `${entries.toLocaleString("en-US")} entries, ${share} dirty`,
          unit: "ms",
          values,
          rule: { of: "value", is: "at most", bar: PAUSE_MAX_MS },
        });
      return [
        row(
          "all",
          results.map(({ all }) => all),
        ),
        row(
          "1 %",
          results.map(({ some }) => some),
        ),
      ];
    });
  },
};
