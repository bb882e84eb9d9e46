/**
 * 20,000,000 entries in one state: filled, checkpointed to a directory, restored in another process, looked into.
 *
 * The bar is that it works. Times and memory are for information; they are measured once.
 */

import { backendOf } from "../harness/backends.js";
import { keyAt, uniformPicks } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import { latestSegments } from "../harness/stored-manifest.js";
import type { Places, Suite } from "../harness/suite.js";
import { openFor } from "../harness/value-kinds.js";

const ENTRIES = 20_000_000;
const CHECKED_ENTRIES = 100_000;

interface Trial {
  readonly side: "write" | "read";
}

interface Result {
  readonly fillSeconds?: number;
  readonly checkpointSeconds?: number;
  readonly checkpointBytes?: number;
  readonly restoreSeconds?: number;
  /** Entries that the restored checkpoint lists, if all of those looked at are right. */
  readonly entriesRight?: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
}

export const large: Suite<Trial, Result> = {
  name: "large",
  backends: ["filesystem"],
  heapMiB: 14_000,
  isSkippedByQuick: true,
  trials: () => [{ side: "write" }, { side: "read" }],
  run: ({ side }, _, places) => (side === "write" ? write(places) : read(places)),
  rows(trials) {
    const write = trials.find(({ trial }) => trial.side === "write")?.result;
    const read = trials.find(({ trial }) => trial.side === "read")?.result;
    const once = (metric: string, unit: string, value: number | undefined) =>
      measured({ metric, unit, values: [value ?? Number.NaN] });
    return [
      once("fill", "s", write?.fillSeconds),
      once("checkpoint", "s", write?.checkpointSeconds),
      once("checkpoint size", "bytes", write?.checkpointBytes),
      once("resident after the checkpoint", "MiB", write?.residentMiB),
      once("resident at most, writing", "MiB", write?.peakMiB),
      once("restore", "s", read?.restoreSeconds),
      once("resident after the restore", "MiB", read?.residentMiB),
      once("resident at most, restoring", "MiB", read?.peakMiB),
      measured({
        metric: "restored and right",
        unit: "entries",
        values: [read?.entriesRight ?? 0],
        rule: { of: "value", is: "at least", bar: ENTRIES },
      }),
    ];
  },
};

async function write({ shared }: Places): Promise<Result> {
  const { job, put } = await openFor("numbers", "filesystem", shared);
  const fillStarted = performance.now();
  for (let index = 0; index < ENTRIES; index++) put(keyAt(index), index);
  const fillSeconds = (performance.now() - fillStarted) / 1000;
  const { durationMs, fullBytes } = await job.checkpoint();
  return { fillSeconds, checkpointSeconds: durationMs / 1000, checkpointBytes: fullBytes, ...memoryNow() };
}

async function read({ shared }: Places): Promise<Result> {
  const started = performance.now();
  const { get } = await openFor("numbers", "filesystem", shared);
  const restoreSeconds = (performance.now() - started) / 1000;
  for (const index of uniformPicks(CHECKED_ENTRIES, ENTRIES, 0)) {
    const found = get(keyAt(index));
    if (found !== index) throw new Error(`Wrong value. index=${index} found=${String(found)}`);
  }
  const segments = await latestSegments(backendOf("filesystem", shared).checkpoints);
  const entriesRight = segments.reduce((sum, { entries }) => sum + entries, 0);
  return { restoreSeconds, entriesRight, ...memoryNow() };
}

function memoryNow(): Pick<Result, "residentMiB" | "peakMiB"> {
  const MIB = 2 ** 20;
  return { residentMiB: process.memoryUsage().rss / MIB, peakMiB: process.resourceUsage().maxRSS / 1024 };
}
