/**
 * The job's loop: flights in, a checkpoint started every so many of them.
 *
 * Invariants:
 * - The loop never waits for a checkpoint, except for the one before when the next is due.
 * - Between slices the event loop turns, so that an upload proceeds while flights are processed.
 */

import { setImmediate } from "node:timers/promises";
import type { CheckpointInfo } from "@tidemark/core";
import { addFlight, type AirportsTask, type PointAirportsTask, positionOf, readsPoints } from "./airports.js";
import { readFlights } from "./flight-file.js";
import { processAwaited, type Stretch } from "./process-awaited.js";

/** Flights per turn of the event loop: a fraction of a millisecond of work. An upload takes many turns. */
const SLICE_COUNT = 50;

export interface ProcessSettings {
  readonly events: number;
  readonly checkpointEvery: number;
  readonly isDaily: boolean;
  /** Ends the work where it is, as a crash would: nothing is awaited or tidied up. */
  readonly crash: AbortSignal;
}

/** Told what happens, as it happens. `position` counts the flights in the state. */
export interface ProcessObserver {
  progressed(position: number): void;
  checkpointStarted(position: number): void;
  checkpointCompleted(checkpoint: CheckpointInfo): void;
}

/** Continues from where the state is. Resolves when all flights are in a completed checkpoint, or at a crash. */
export async function processFlights(
  task: AirportsTask,
  { events, checkpointEvery, isDaily, crash }: ProcessSettings,
  observer: ProcessObserver,
): Promise<void> {
  const checkpoints = new Checkpoints(task, observer);
  let row = positionOf(task);
  for await (const columns of readFlights(row, events)) {
    const intake = { columns, isDaily };
    while (row < columns.end) {
      const due = Math.min(events, (Math.floor(row / checkpointEvery) + 1) * checkpointEvery);
      const end = Math.min(columns.end, due);
      const stretch = { start: row, end, intake, crash, progressed: (at: number) => observer.progressed(at) };
      await (readsPoints(task) ? processPoints(task, stretch) : processAwaited(task, stretch));
      if (crash.aborted) return;
      row = end;
      if (row === due) await checkpoints.start(row);
    }
  }
  await Promise.race([checkpoints.settled(), aborted(crash)]);
}

/** One flight after the other. */
async function processPoints(task: PointAirportsTask, stretch: Stretch): Promise<void> {
  const { start, end, intake, crash, progressed } = stretch;
  for (let row = start; row < end && !crash.aborted; ) {
    for (const until = Math.min(end, row + SLICE_COUNT); row < until; row++) {
      const adding = addFlight(task, row, intake);
      if (adding !== undefined) await adding;
    }
    progressed(row);
    await task.ready();
    await setImmediate();
  }
}

/** At most one checkpoint under way. */
class Checkpoints {
  readonly #task: AirportsTask;
  readonly #observer: ProcessObserver;
  #current: Promise<void> = Promise.resolve();

  constructor(task: AirportsTask, observer: ProcessObserver) {
    this.#task = task;
    this.#observer = observer;
  }

  /** Starts a checkpoint of everything up to `position`, at least; first waits for the one before, and fails if that did. */
  async start(position: number): Promise<void> {
    await this.#current;
    this.#observer.checkpointStarted(position);
    this.#current = this.#task.checkpoint().then((info) => this.#observer.checkpointCompleted(info));
    // A failure is thrown where it is waited for; until then it is not unhandled.
    this.#current.catch(() => {});
  }

  settled(): Promise<void> {
    return this.#current;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
