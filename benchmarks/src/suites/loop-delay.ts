/**
 * For how long a checkpoint keeps the event loop from turning.
 *
 * How: a state of 1,000,000 entries, of which 100,000 are written anew; then the loop is watched from the trigger of the checkpoint to
 * its end. One process for each repetition. The floor is the same process with nothing to do but watch: it shows what the garbage
 * collector and the rest of the machine take by themselves.
 */

import { cleanHeap } from "../harness/clean-heap.js";
import { distinctPicks, keysUpTo } from "../harness/keys.js";
import { type LoopDelay, loopDelayDuring } from "../harness/loop-delay.js";
import { measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { openFor } from "../harness/value-kinds.js";

const IDLE_MS = 500;
const FULL = { entries: 1_000_000, dirty: 100_000 };
const QUICK = { entries: 100_000, dirty: 10_000 };

interface Trial {
  readonly entries: number;
  readonly dirty: number;
  readonly seed: number;
}

interface Result {
  readonly idle: LoopDelay;
  readonly busy: LoopDelay;
}

export const loopDelay: Suite<Trial, Result> = {
  name: "loop-delay",
  backends: ["memory", "filesystem"],
  heapMiB: 4096,
  trials: ({ isQuick, repetitions }: Scale) =>
    Array.from({ length: repetitions }, (_, seed) => ({ ...(isQuick ? QUICK : FULL), seed })),
  async run({ entries, dirty, seed }, backend, places) {
    const { job, put } = await openFor("numbers", backend, places.own);
    const keys = keysUpTo(entries);
    const picks = distinctPicks(dirty, entries, seed);
    keys.forEach((key, index) => put(key, index));
    await job.checkpoint();
    cleanHeap();
    const idle = await loopDelayDuring(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
    for (const index of picks) put(keys[index] as string, index + 1);
    const busy = await loopDelayDuring(() => job.checkpoint());
    return { idle, busy };
  },
  rows(trials) {
    const row = (metric: string, of: keyof LoopDelay, bar: number) =>
      measured({
        metric,
        unit: "ms",
        values: trials.map(({ result }) => result.busy[of]),
        floors: trials.map(({ result }) => result.idle[of]),
        rule: { of: "value", is: "at most", bar },
      });
    return [
      row("timer delay, p99", "timerP99", 10),
      row("timer delay, max", "timerMax", 30),
      row("longest turn", "turnMax", 30),
    ];
  },
};
