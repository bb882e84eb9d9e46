/** What a suite is. */

import type { BackendName } from "./backends.js";
import type { Measured } from "./rows.js";

/** How much is measured. */
export interface Scale {
  readonly isQuick: boolean;
  /** How often everything is measured. */
  readonly repetitions: number;
}

/** Where a trial may write. */
export interface Places {
  /** Of this trial alone, empty. */
  readonly own: string;
  /** Of all trials of the suite on one backend, empty before the first. */
  readonly shared: string;
}

/**
 * A group of measurements, made of trials. Each trial runs in a process of its own, started for it, one after the other: so
 * none finds the heap or the compiled code of another.
 */
export interface Suite<Trial = unknown, Result = unknown> {
  readonly name: string;
  readonly backends: readonly BackendName[];
  /** Heap of the trials' processes, MiB. */
  readonly heapMiB: number;
  /** Whether `--quick` leaves it out. */
  readonly isSkippedByQuick?: boolean;
  /** The trials, in the order in which they run: sides that are compared take turns. */
  trials(scale: Scale, backend: BackendName): readonly Trial[];
  /** Measures, in the process of the trial. Trial and result travel as JSON. */
  run(trial: Trial, backend: BackendName, places: Places): Promise<Result>;
  rows(trials: readonly { readonly trial: Trial; readonly result: Result }[]): readonly Measured[];
}
