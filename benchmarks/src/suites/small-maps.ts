/**
 * Maps of few fields, which are packed into one entry of a checkpoint, against the same content with an entry for each field.
 *
 * The floor is a state with a value for each key and namespace, the fields being its namespaces: its entries are those that a map
 * has when it is not packed, byte for byte. In memory it is simpler than a map, so that its restore is quicker for that alone.
 *
 * How: 100,000 keys with some fields each are written and checkpointed; then one field of 1 % of the keys is written anew, followed by
 * a checkpoint, then by a full one, which merges both; then the task is restored. Every side of every repetition has a process of
 * its own, and the sides take turns.
 */

import { defineOperator, type JobControl, map, namespaced, openTask, string, value } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { distinctPicks, keysUpTo } from "../harness/keys.js";
import { type Measured, measured, type Measurement } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const SIDES = ["packed", "split"] as const;
const FIELD_COUNTS = [1, 4, 8];
const SHARE = 0.01;
const BYTES_RATIO_MAX = 1.1;

const operators = {
  packed: defineOperator("maps", { key: string(), states: { fields: map<string, number>({ field: string() }) } }),
  split: defineOperator("maps", { key: string(), states: { fields: namespaced(string(), value<number>()) } }),
};

interface Trial {
  readonly side: (typeof SIDES)[number];
  readonly fieldCount: number;
  readonly keyCount: number;
}

interface Result {
  readonly bytes: number;
  readonly updateBytes: number;
  readonly checkpointMs: number;
  readonly mergeMs: number;
  readonly restoreMs: number;
}

/** A running task of one side. */
interface Opened {
  readonly job: JobControl;
  readonly put: (key: string, field: string, content: number) => void;
  readonly get: (key: string, field: string) => number | undefined;
}

export const smallMaps: Suite<Trial, Result> = {
  name: "small-maps",
  backends: ["memory", "filesystem"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const keyCount = isQuick ? 20_000 : 100_000;
    return FIELD_COUNTS.flatMap((fieldCount) =>
      takeTurns(SIDES, repetitions, (side) => ({ side, fieldCount, keyCount })),
    );
  },
  run: (trial, backend, places) => measureSide(trial, backend, places),
  rows: (trials) =>
    FIELD_COUNTS.flatMap((fieldCount) => {
      const of = (side: Trial["side"]): Result[] =>
        trials
          .filter(({ trial }) => trial.fieldCount === fieldCount && trial.side === side)
          .map(({ result }) => result);
      return rowsOf(fieldCount === 1 ? "1 field" : `${fieldCount} fields`, of("packed"), of("split"));
    }),
};

function rowsOf(name: string, packed: readonly Result[], split: readonly Result[]): Measured[] {
  const compared = (metric: string, unit: string, of: (result: Result) => number): Measurement => ({
    metric: `${name}: ${metric}`,
    unit,
    values: packed.map(of),
    floors: split.map(of),
  });
  const rule = { of: "ratio", is: "at most", bar: BYTES_RATIO_MAX } as const;
  return [
    measured({ ...compared("checkpoint", "bytes", ({ bytes }) => bytes), rule }),
    measured(compared("one field of 1 % written", "bytes", ({ updateBytes }) => updateBytes)),
    measured(compared("checkpoint", "ms", ({ checkpointMs }) => checkpointMs)),
    measured(compared("merge of all", "ms", ({ mergeMs }) => mergeMs)),
    measured(compared("restore", "ms", ({ restoreMs }) => restoreMs)),
  ];
}

async function measureSide(trial: Trial, name: BackendName, places: Places): Promise<Result> {
  const { side, fieldCount, keyCount } = trial;
  const backend = backendOf(name, places.own);
  const keys = keysUpTo(keyCount);
  const fields = Array.from({ length: fieldCount }, (_, at) => `field-${at}`);
  const { job, put } = await open(side, backend);
  for (const [at, key] of keys.entries()) for (const field of fields) put(key, field, at);
  const first = await timed(() => job.checkpoint());
  const picks = distinctPicks(keyCount * SHARE, keyCount, 1);
  for (const at of picks) put(keys[at] as string, fields[at % fieldCount] as string, -at);
  const update = await job.checkpoint();
  const merge = await timed(() => job.checkpoint({ full: true }));
  await job.close();
  const restored = await timed(() => open(side, backend));
  for (const at of picks) {
    const found = restored.result.get(keys[at] as string, fields[at % fieldCount] as string);
    if (found !== -at) throw new Error(`Wrong value. key=${keys[at]} found=${found} expected=${-at}`);
  }
  return {
    bytes: first.result.incrementalBytes,
    updateBytes: update.incrementalBytes,
    checkpointMs: first.ms,
    mergeMs: merge.ms,
    restoreMs: restored.ms,
  };
}

async function timed<T>(action: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  cleanHeap();
  const started = performance.now();
  const result = await action();
  return { result, ms: performance.now() - started };
}

async function open(side: Trial["side"], backend: ReturnType<typeof backendOf>): Promise<Opened> {
  const options = { job: "small-maps", backend, graceMs: 0 };
  if (side === "packed") {
    const task = await openTask(operators.packed, options);
    return {
      job: task,
      put: (key, field, content) => task.fields.set(key, field, content),
      get: (key, field) => task.fields.getSync(key, field),
    };
  }
  const task = await openTask(operators.split, options);
  return {
    job: task,
    put: (key, field, content) => task.fields.in(field).set(key, content),
    get: (key, field) => task.fields.in(field).getSync(key),
  };
}
