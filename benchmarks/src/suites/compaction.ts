/**
 * What incremental checkpoints cost in the long run: 200 of them over a state of 200,000 keys.
 *
 * How: after the first checkpoint, which is not counted, 200 epochs of one workload. Bytes are the same each time, so there is one run.
 * - `uploads`: what all checkpoints wrote, against the encoded keys and values that were dirty, each once per epoch.
 * - `segments in a chain`: the most that any of the manifests lists.
 * - `restore reads`: the most that a restore of any of the checkpoints would read, against a full checkpoint at the end.
 */

import { openTask } from "@tidemark/core";
import { backendOf } from "../harness/backends.js";
import { encodedBytes } from "../harness/encoded-size.js";
import { keysUpTo, uniformPicks, zipfDraw } from "../harness/keys.js";
import { counting } from "../harness/operators.js";
import { type Measured, measured } from "../harness/rows.js";
import { SeededRandom } from "../harness/random.js";
import { latestSegments } from "../harness/stored-manifest.js";
import type { Scale, Suite } from "../harness/suite.js";

const WORKLOADS = ["uniform 1 %", "zipf 0.99", "uniform 9.5 %"] as const;
const UPLOAD_RATIO_MAX = 3;
const SEGMENTS_MAX = 16;
const RESTORE_RATIO_MAX = 2;
const ZIPF_EXPONENT = 0.99;
/** Operations of an epoch of the zipf workload, by key; many of them meet the same keys. */
const ZIPF_OPERATIONS_SHARE = 0.1;

interface Trial {
  readonly workload: (typeof WORKLOADS)[number];
  readonly entries: number;
  readonly checkpoints: number;
}

interface Result {
  readonly uploadedBytes: number;
  readonly dirtyBytes: number;
  readonly segmentsMax: number;
  readonly restoreBytesMax: number;
  readonly liveBytes: number;
}

export const compaction: Suite<Trial, Result> = {
  name: "compaction",
  backends: ["memory", "filesystem"],
  heapMiB: 4096,
  trials: ({ isQuick }: Scale) =>
    WORKLOADS.map((workload) => ({
      workload,
      entries: isQuick ? 20_000 : 200_000,
      checkpoints: isQuick ? 40 : 200,
    })),
  async run({ workload, entries, checkpoints }, backendName, places) {
    const backend = backendOf(backendName, places.own);
    const task = await openTask(counting, { job: "compaction", backend, graceMs: 0 });
    const keys = keysUpTo(entries);
    for (const key of keys) task.counter.set(key, 0);
    await task.checkpoint();
    const touched = epochsOf(workload, entries);
    const result = { uploadedBytes: 0, dirtyBytes: 0, segmentsMax: 0, restoreBytesMax: 0, liveBytes: 0 };
    for (let epoch = 0; epoch < checkpoints; epoch++) {
      const dirty = touched();
      for (const index of dirty) {
        const key = keys[index] as string;
        task.counter.set(key, task.counter.getSync(key) + 1);
      }
      for (const index of new Set(dirty)) {
        const key = keys[index] as string;
        result.dirtyBytes += encodedBytes(key, task.counter.getSync(key));
      }
      const { incrementalBytes, fullBytes } = await task.checkpoint();
      const segments = await latestSegments(backend.checkpoints);
      result.uploadedBytes += incrementalBytes;
      result.segmentsMax = Math.max(result.segmentsMax, segments.length);
      result.restoreBytesMax = Math.max(result.restoreBytesMax, fullBytes);
    }
    result.liveBytes = (await task.checkpoint({ full: true })).fullBytes;
    return result;
  },
  rows: (trials) => trials.flatMap(({ trial, result }) => rowsOf(trial.workload, result)),
};

/** The keys that the operations of the next epoch touch, by number. */
function epochsOf(workload: Trial["workload"], entries: number): () => ArrayLike<number> & Iterable<number> {
  if (workload === "zipf 0.99") {
    const draw = zipfDraw(entries, ZIPF_EXPONENT, 0);
    return () => Uint32Array.from({ length: entries * ZIPF_OPERATIONS_SHARE }, draw);
  }
  const share = workload === "uniform 1 %" ? 0.01 : 0.095;
  const seeds = new SeededRandom(0);
  return () => uniformPicks(entries * share, entries, seeds.uint32());
}

function rowsOf(workload: string, result: Result): Measured[] {
  return [
    measured({
      metric: `${workload}: uploads`,
      unit: "bytes",
      values: [result.uploadedBytes],
      floors: [result.dirtyBytes],
      rule: { of: "ratio", is: "at most", bar: UPLOAD_RATIO_MAX },
    }),
    measured({
      metric: `${workload}: segments in a chain`,
      unit: "segments",
      values: [result.segmentsMax],
      rule: { of: "value", is: "at most", bar: SEGMENTS_MAX },
    }),
    measured({
      metric: `${workload}: restore reads`,
      unit: "bytes",
      values: [result.restoreBytesMax],
      floors: [result.liveBytes],
      rule: { of: "ratio", is: "at most", bar: RESTORE_RATIO_MAX },
    }),
  ];
}
