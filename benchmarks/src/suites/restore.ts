/**
 * How fast a task is restored: `openTask` on a directory with a checkpoint of 1,000,000 entries in one segment.
 *
 * The floor is a loop that decodes the same segment with the same public codecs and puts the entries into one `Map`. It has the file in
 * memory before its clock starts, and checks nothing: no checksum, no hash, no order of keys, no key group. The restore reads the
 * file, verifies all of that, and finds out what there is to restore in the first place.
 *
 * How: one trial writes the checkpoints; then the sides take turns, each in a new process, as after a restart.
 */

import { structured } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { keyAt, keysUpTo } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import { latestSegments, segmentBytes } from "../harness/stored-manifest.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { openFor, type ValueKind, valueKinds, valueOf } from "../harness/value-kinds.js";
import { decodeSegment } from "./decode-segment.js";

const SPEED_RATIO_MIN = 0.5;

interface Trial {
  readonly side: "write" | "bare" | "restore";
  readonly kind: ValueKind;
  readonly entries: number;
}

/** Entries per second. */
type Result = number;

export const restore: Suite<Trial, Result> = {
  name: "restore",
  backends: ["filesystem"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const entries = isQuick ? 100_000 : 1_000_000;
    return valueKinds.flatMap((kind) => [
      { side: "write", kind, entries } as const,
      ...takeTurns(["bare", "restore"] as const, repetitions, (side) => ({ side, kind, entries })),
    ]);
  },
  async run(trial, backend, places) {
    const elapsedMs = await SIDES[trial.side](trial, backend, places);
    return (trial.entries * 1000) / elapsedMs;
  },
  rows: (trials) =>
    valueKinds.map((kind) => {
      const of = (side: Trial["side"]): number[] =>
        trials.filter(({ trial }) => trial.kind === kind && trial.side === side).map(({ result }) => result);
      return measured({
        metric: `${kind}, speed`,
        unit: "entries/s",
        values: of("restore"),
        floors: of("bare"),
        rule: { of: "ratio", is: "at least", bar: SPEED_RATIO_MIN },
      });
    }),
};

type Side = (trial: Trial, backend: BackendName, places: Places) => Promise<number>;

/** Each resolves to its milliseconds. */
const SIDES: Readonly<Record<Trial["side"], Side>> = { write: writeCheckpoint, bare: decodeBare, restore: restoreTask };

async function writeCheckpoint({ kind, entries }: Trial, backend: BackendName, places: Places): Promise<number> {
  const started = performance.now();
  const { job, put } = await openFor(kind, backend, placeOf(kind, places));
  keysUpTo(entries).forEach((key, index) => put(key, index));
  await job.checkpoint();
  await job.close();
  return performance.now() - started;
}

async function decodeBare({ kind, entries }: Trial, backend: BackendName, places: Places): Promise<number> {
  const { checkpoints } = backendOf(backend, placeOf(kind, places));
  const [segment, more] = await latestSegments(checkpoints);
  if (segment === undefined || more !== undefined) throw new Error("The checkpoint is not one segment.");
  const bytes = await segmentBytes(checkpoints, segment);
  cleanHeap();
  const started = performance.now();
  const map = decodeSegment(bytes, segment.bytes - segment.indexBytes, structured());
  const elapsedMs = performance.now() - started;
  if (map.size !== entries) throw new Error(`The loop decoded too few. decoded=${map.size} expected=${entries}`);
  check(kind, entries, (key) => map.get(key));
  return elapsedMs;
}

async function restoreTask({ kind, entries }: Trial, backend: BackendName, places: Places): Promise<number> {
  cleanHeap();
  const started = performance.now();
  const { get } = await openFor(kind, backend, placeOf(kind, places));
  const elapsedMs = performance.now() - started;
  check(kind, entries, get);
  return elapsedMs;
}

function placeOf(kind: ValueKind, { shared }: Places): string {
  return `${shared}/${kind}`;
}

/** Looks at one entry in a hundred. */
function check(kind: ValueKind, entries: number, get: (key: string) => unknown): void {
  for (let index = 0; index < entries; index += 100) {
    const found = JSON.stringify(get(keyAt(index)));
    const expected = JSON.stringify(valueOf(kind, index));
    if (found !== expected) throw new Error(`Wrong value. index=${index} found=${found} expected=${expected}`);
  }
}
