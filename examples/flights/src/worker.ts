/**
 * The process that does the work, told when to crash its task and when to finish.
 *
 *   open ─▶ process ─▶ processed ─(finish)─▶ close ─▶ restore ─▶ digest ─▶ end
 *    ▲         │           │
 *    └─(crash)─┴───────────┘    the task is left as it is, not closed; or the whole process is killed, and another starts here
 */

import type { Backend } from "@tidemark/core";
import { type AirportsTask, openAirports, positionOf } from "./airports.js";
import { backendEntry } from "./backends.js";
import { busiestAirports } from "./busiest.js";
import {
  type ParentMessage,
  URL_VARIABLE,
  type WorkerMessage,
  type WorkerResult,
  type WorkerSettings,
} from "./messages.js";
import type { ProcessObserver, processFlights } from "./process-flights.js";
import { readState } from "./read-state.js";
import { digestState } from "./state-digest.js";

const BUSIEST_COUNT = 10;
/** Flights between two messages of progress. */
const PROGRESS_COUNT = 2_000;

export type Process = typeof processFlights;

/** Runs a worker in this process, which was forked with its settings as argument. Ends the process when the parent does. */
export async function serve(run: Process): Promise<void> {
  process.on("disconnect", () => process.exit());
  try {
    const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
    const url = process.env[URL_VARIABLE];
    const backend = backendEntry(settings.backend).open({ ...settings, url });
    while (!(await attempt(backend, settings, run))) tell({ type: "crashed" });
    await told({ type: "result", result: await readResult(backend) });
  } catch (error) {
    await told({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  }
  process.disconnect();
}

/** One run of the task. Resolves with false if it was crashed. */
async function attempt(backend: Backend, settings: WorkerSettings, run: Process): Promise<boolean> {
  const crash = new AbortController();
  const finish = nextMessage(crash);
  /** Where the barrier of each checkpoint was: one that memory makes necessary may hold up one that was asked for. */
  const barriers = new Map<number, number>();
  const task = await openAirports(backend, { barrier: (id) => barriers.set(id, positionOf(task)) });
  tell({ type: "running", restoredFrom: task.restoredFrom, position: positionOf(task) });
  await run(task, { ...settings, crash: crash.signal }, observerUntil(crash.signal, barriers));
  if (!crash.signal.aborted) tell({ type: "processed" });
  await finish;
  if (crash.signal.aborted) return false;
  await task.close();
  return true;
}

/** Tells the parent. The dead are silent: after a crash nothing is told of what an abandoned task still does. */
function observerUntil(crash: AbortSignal, barriers: ReadonlyMap<number, number>): ProcessObserver {
  const tellAlive = (message: WorkerMessage): void => {
    if (!crash.aborted) tell(message);
  };
  let last = 0;
  return {
    progressed: (position) => {
      if (position - last < PROGRESS_COUNT) return;
      last = position;
      tellAlive({ type: "progressed", position });
    },
    checkpointStarted: (position) => tellAlive({ type: "checkpointStarted", position }),
    checkpointCompleted: (info) => {
      const { id, kind, fullBytes, incrementalBytes, syncPauseMs, durationMs } = info;
      const checkpoint = { id, kind, fullBytes, incrementalBytes, syncPauseMs, durationMs };
      tellAlive({ type: "checkpointCompleted", position: barriers.get(id) as number, checkpoint });
    },
  };
}

async function readResult(backend: Backend): Promise<WorkerResult> {
  const task: AirportsTask = await openAirports(backend);
  const state = await readState(task);
  const { restoredFrom } = task;
  await task.close();
  return { ...digestState(state), restoredFrom, busiest: busiestAirports(state, BUSIEST_COUNT) };
}

/** Resolves at the next message of the parent, and has aborted `crash` then if that is what it says. */
function nextMessage(crash: AbortController): Promise<void> {
  return new Promise((resolve) => {
    process.once("message", (message) => {
      if ((message as ParentMessage).type === "crash") crash.abort();
      resolve();
    });
  });
}

function tell(message: WorkerMessage): void {
  void told(message);
}

/** Resolves when the message is on its way. Without a parent there is nobody to tell, and this process is about to end. */
function told(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}
