/**
 * Maps of few fields, which are packed into one entry of a checkpoint, against the same content with an entry for each field.
 *
 * The floor is a state with a value for each key and namespace, the fields being its namespaces: its entries are those that a map
 * has when it is not packed, byte for byte.
 *
 * How: 100,000 keys with some fields each are written, checkpointed and restored; then one field of 1 % of the keys is written
 * anew, followed by another checkpoint. Every side of every repetition has a process of its own, and the sides take turns.
 */

import { defineOperator, map, namespaced, openTask, string, value } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { distinctPicks, keysUpTo } from "../harness/keys.js";
import { type Measured, measured, type Rule } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const SIDES = ["packed", "split"] as const;
const FIELD_COUNTS = [1, 4, 8];
/** The one that bars are for. */
const TYPICAL_FIELDS = 4;
const SHARE = 0.01;

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
  readonly restoreMs: number;
  readonly updateBytes: number;
}

/** A running task of one side. */
interface Opened {
  readonly job: { checkpoint(): Promise<{ readonly incrementalBytes: number }>; close(): Promise<void> };
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
      const compared = (metric: string, unit: string, of: (result: Result) => number, bar?: number): Measured => {
        const valuesOf = (side: Trial["side"]): number[] =>
          trials
            .filter(({ trial }) => trial.fieldCount === fieldCount && trial.side === side)
            .map(({ result }) => of(result));
        const rule: { rule?: Rule } =
          bar === undefined || fieldCount !== TYPICAL_FIELDS ? {} : { rule: { of: "ratio", is: "at most", bar } };
        const fields = fieldCount === 1 ? "1 field" : `${fieldCount} fields`;
        const measurement = {
          metric: `${fields}: ${metric}`,
          unit,
          values: valuesOf("packed"),
          floors: valuesOf("split"),
        };
        return measured({ ...measurement, ...rule });
      };
      return [
        compared("checkpoint", "bytes", ({ bytes }) => bytes, 0.6),
        compared("restore", "ms", ({ restoreMs }) => restoreMs, 0.8),
        compared("one field of 1 % written", "bytes", ({ updateBytes }) => updateBytes),
      ];
    }),
};

async function measureSide(trial: Trial, name: BackendName, places: Places): Promise<Result> {
  const { side, fieldCount, keyCount } = trial;
  const backend = backendOf(name, places.own);
  const keys = keysUpTo(keyCount);
  const fields = Array.from({ length: fieldCount }, (_, at) => `field-${at}`);
  const first = await open(side, backend);
  for (const [at, key] of keys.entries()) for (const field of fields) first.put(key, field, at);
  const { incrementalBytes: bytes } = await first.job.checkpoint();
  await first.job.close();
  cleanHeap();
  const started = performance.now();
  const second = await open(side, backend);
  const restoreMs = performance.now() - started;
  for (const at of distinctPicks(keyCount * SHARE, keyCount, 1)) {
    const key = keys[at] as string;
    const field = fields[at % fieldCount] as string;
    if (second.get(key, field) !== at) throw new Error(`Wrong value. key=${key} field=${field}`);
    second.put(key, field, at + 1);
  }
  const { incrementalBytes: updateBytes } = await second.job.checkpoint();
  await second.job.close();
  return { bytes, restoreMs, updateBytes };
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
