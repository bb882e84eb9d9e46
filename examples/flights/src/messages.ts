/** What the processes of the job say to each other. */

import type { CheckpointInfo } from "@tidemark/core";
import type { BusyAirport } from "./busiest.js";
import type { StateDigest } from "./state-digest.js";

/** Names the server in the environment of a worker: it may have a password in it, and everybody can read arguments. */
export const URL_VARIABLE = "TIDEMARK_FLIGHTS_URL";

/** Arguments of a worker process, as one JSON text. */
export interface WorkerSettings {
  readonly backend: string;
  readonly directory: string;
  readonly memory?: string | undefined;
  /** What everything on a server is named after. */
  readonly space: string;
  readonly events: number;
  readonly checkpointEvery: number;
  readonly isDaily: boolean;
}

/** From the parent: crash the task (where it is not the process that is killed), or finish after all events. */
export type ParentMessage = { readonly type: "crash" } | { readonly type: "finish" };

/** What is told of a completed checkpoint. */
export type CheckpointFigures = Pick<
  CheckpointInfo,
  "id" | "kind" | "fullBytes" | "incrementalBytes" | "syncPauseMs" | "durationMs"
>;

/** The final state, read after a restore of its own. */
export interface WorkerResult extends StateDigest {
  readonly restoredFrom: number | undefined;
  readonly busiest: readonly BusyAirport[];
}

/** From a worker. `position` counts flights from the first. */
export type WorkerMessage =
  /** The task is open: `restoredFrom` is absent if it starts empty. */
  | { readonly type: "running"; readonly restoredFrom?: number | undefined; readonly position: number }
  | { readonly type: "progressed"; readonly position: number }
  | { readonly type: "checkpointStarted"; readonly position: number }
  | { readonly type: "checkpointCompleted"; readonly position: number; readonly checkpoint: CheckpointFigures }
  /** The task was crashed as asked. */
  | { readonly type: "crashed" }
  /** All events are in a completed checkpoint. Awaits `finish`. */
  | { readonly type: "processed" }
  | { readonly type: "result"; readonly result: WorkerResult }
  | { readonly type: "failed"; readonly message: string };
