/**
 * How large an incremental checkpoint is, compared with the keys and values in it.
 *
 * How: a state of 1,000,000 entries and a checkpoint; then 1 %, 10 % and 25 % of them are written anew, each followed by a checkpoint,
 * uncompressed. The floor is what the written keys and values take when encoded one by one with the public codecs. Bytes are
 * the same each time, so there is one run.
 */

import { distinctPicks, keysUpTo } from "../harness/keys.js";
import { encodedBytes } from "../harness/encoded-size.js";
import { measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { openFor, type ValueKind, valueKinds, valueOf } from "../harness/value-kinds.js";

const SHARES = [0.01, 0.1, 0.25];
const BYTES_RATIO_MAX = 1.1;

interface Trial {
  readonly kind: ValueKind;
  readonly entries: number;
}

/** One for each share. */
type Result = readonly { readonly share: number; readonly written: number; readonly encoded: number }[];

export const checkpointBytes: Suite<Trial, Result> = {
  name: "checkpoint-bytes",
  backends: ["memory", "filesystem"],
  heapMiB: 4096,
  trials: ({ isQuick }: Scale) => valueKinds.map((kind) => ({ kind, entries: isQuick ? 100_000 : 1_000_000 })),
  async run({ kind, entries }, backend, places) {
    const { job, put } = await openFor(kind, backend, places.own);
    const keys = keysUpTo(entries);
    keys.forEach((key, index) => put(key, index));
    await job.checkpoint();
    const results: { share: number; written: number; encoded: number }[] = [];
    for (const [seed, share] of SHARES.entries()) {
      let encoded = 0;
      for (const index of distinctPicks(entries * share, entries, seed)) {
        const key = keys[index] as string;
        put(key, index + 1);
        encoded += encodedBytes(key, valueOf(kind, index + 1));
      }
      const { incrementalBytes: written } = await job.checkpoint();
      results.push({ share, written, encoded });
    }
    return results;
  },
  rows: (trials) =>
    trials.flatMap(({ trial, result }) =>
      result.map(({ share, written, encoded }) =>
        measured({
          metric: `${trial.kind}, ${share * 100} % dirty`,
          unit: "bytes",
          values: [written],
          floors: [encoded],
          rule: { of: "ratio", is: "at most", bar: BYTES_RATIO_MAX },
        }),
      ),
    ),
};
