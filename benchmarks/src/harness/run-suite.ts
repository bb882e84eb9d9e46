/** Runs the trials of a suite on a backend, and makes rows of them. */

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackendName } from "./backends.js";
import { failed, type Row } from "./rows.js";
import { runTrial } from "./run-trial.js";
import type { Scale, Suite } from "./suite.js";

export interface SuiteRun {
  readonly suite: Suite;
  readonly backend: BackendName;
  readonly scale: Scale;
  /** A directory that the run may fill; it is removed afterwards. */
  readonly directory: string;
  /** Told before each trial. */
  readonly onTrial: (at: number, count: number) => void;
}

export async function runSuite({ suite, backend, scale, directory, onTrial }: SuiteRun): Promise<Row[]> {
  const shared = join(directory, "shared");
  const own = join(directory, "own");
  const trials = suite.trials(scale, backend);
  const done: { trial: unknown; result: unknown }[] = [];
  const label = { suite: suite.name, backend, quick: scale.isQuick };
  try {
    await mkdir(shared, { recursive: true });
    for (const [at, trial] of trials.entries()) {
      onTrial(at + 1, trials.length);
      await mkdir(own);
      const request = { suite: suite.name, backend, trial, places: { own, shared } };
      done.push({ trial, result: await runTrial(request, suite.heapMiB) });
      await rm(own, { recursive: true });
    }
    return suite.rows(done).map((row) => ({ ...label, ...row }));
  } catch (error) {
    return [{ ...label, ...failed(error instanceof Error ? error.message : String(error)) }];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
