/** Runs a property: first the seeds that once found something, then as many new cases as were asked for. */

import fc from "fast-check";
import { REGRESSIONS } from "./regressions.js";

export interface RunSettings {
  readonly runs: number;
  readonly seed: number;
  /** Replays one case, as a failure printed it. */
  readonly path?: string;
  /** Whether to stop at the first failure, without looking for a smaller one. */
  readonly endOnFailure?: boolean;
}

/** @throws an error with seed, path and the smallest counterexample */
export async function checkProperty<Given>(
  name: string,
  property: fc.IAsyncProperty<Given>,
  { runs, seed, path, endOnFailure = false }: RunSettings,
): Promise<void> {
  for (const known of REGRESSIONS.filter((regression) => regression.property === name)) {
    await fc.assert(property, { seed: known.seed, path: known.path, numRuns: 1 });
  }
  const replay = path === undefined ? {} : { path };
  await fc.assert(property, { numRuns: runs, seed, endOnFailure, ...replay });
}
