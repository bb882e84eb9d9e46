/**
 * Runs the job to its end: starts it, kills it as planned, starts it again.
 *
 *   fork ─▶ running ─▶ progressed, checkpointStarted, checkpointCompleted … ─▶ processed ─(all kills done)─▶ result ─▶ end
 *    ▲                      │                                                     │
 *    └──────(killed)────────┴─────────────────────────────────────────────────────┘
 *
 * Invariants:
 * - A kill counts when the process is seen to have died of SIGKILL, or the task to have been crashed; nothing else counts.
 * - No kill before the first checkpoint has completed, and no end before all kills have hit.
 */

import { performance } from "node:perf_hooks";
import { type BackendEntry, backendEntry } from "./backends.js";
import { type PlannedKill, planKills } from "./kill-plan.js";
import type { CheckpointFigures, WorkerMessage, WorkerResult } from "./messages.js";
import type { RunOptions } from "./options.js";
import type { Progress } from "./progress.js";
import { WorkerProcess } from "./worker-process.js";

/** A kill that hit. */
export interface KillRecord {
  readonly attempt: number;
  /** Flights processed, as last heard before the kill. */
  readonly position: number;
  /** "end": after the last checkpoint, before the state was read. */
  readonly during: "processing" | "upload" | "end";
  /** The checkpoint that the next attempt continued from, and how many flights were in it. */
  readonly restoredFrom: number;
  readonly restoredPosition: number;
}

export interface CheckpointRecord extends Partial<CheckpointFigures> {
  readonly id: number;
  readonly attempt: number;
  /** Flights in it. */
  readonly position: number;
}

export interface RunRecord {
  readonly kills: readonly KillRecord[];
  /** Completed checkpoints. One whose attempt was killed before it could tell has no figures. */
  readonly checkpoints: readonly CheckpointRecord[];
  /** Wall time from the first flight to the last checkpoint: kills, restarts and repeated work included. */
  readonly processingMs: number;
  readonly result: WorkerResult;
}

export interface SupervisorParts {
  readonly options: RunOptions;
  readonly directory: string;
  /** What everything on a server is named after. */
  readonly space: string;
  /** Of the server that the backend uses, if it uses one. */
  readonly url: string | undefined;
  /** Path of the module that a worker process runs. */
  readonly worker: string;
  readonly progress: Progress;
}

type Hit = Omit<KillRecord, "restoredFrom" | "restoredPosition">;

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #entry: BackendEntry;
  readonly #plan: PlannedKill[];
  readonly #kills: KillRecord[] = [];
  readonly #checkpoints: CheckpointRecord[] = [];
  #process: WorkerProcess | undefined;
  #attempt = 0;
  #position = 0;
  #stage: "processing" | "upload" | "end" = "processing";
  /** Whether a kill is under way. */
  #fired = false;
  /** Runs until a kill that aims at an upload. */
  #timer: NodeJS.Timeout | undefined;
  /** The last kill, until the next attempt tells where it continues. */
  #hit: Hit | undefined;
  #startedMs: number | undefined;
  #endedMs = 0;
  #result: WorkerResult | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#entry = backendEntry(parts.options.backend);
    this.#plan = planKills(parts.options);
  }

  async run(): Promise<RunRecord> {
    const { options, directory, space, url, worker: module } = this.#parts;
    const { backend, memory, events, checkpointEvery, daily: isDaily } = options;
    while (this.#result === undefined) {
      const settings = { backend, directory, space, memory, events, checkpointEvery, isDaily };
      this.#process = new WorkerProcess({ module, settings, url }, (message) => this.#hear(message));
      const { signal, failure } = await this.#process.ended;
      if (this.#fired && signal === "SIGKILL") this.#recordHit();
      else if (failure !== undefined || this.#result === undefined) {
        throw new Error(failure ?? `The job ended without a result. attempt=${this.#attempt} signal=${signal}.`);
      }
    }
    const processingMs = this.#endedMs - (this.#startedMs ?? 0);
    return { kills: this.#kills, checkpoints: this.#checkpoints, processingMs, result: this.#result };
  }

  /** Ends the process, not as part of the plan. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#process?.kill();
  }

  #hear(message: WorkerMessage): void {
    switch (message.type) {
      case "running":
        return this.#continue(message.position, message.restoredFrom);
      case "progressed":
        this.#move(message.position);
        return this.#considerKill("processing");
      case "checkpointStarted":
        this.#move(message.position);
        this.#stage = "upload";
        return this.#considerKill("upload");
      case "checkpointCompleted":
        this.#stage = "processing";
        this.#checkpoints.push({ ...message.checkpoint, attempt: this.#attempt, position: message.position });
        return;
      case "processed":
        this.#stage = "end";
        this.#endedMs = performance.now();
        if (this.#plan.length === 0) this.#process?.tell({ type: "finish" });
        else this.#fire();
        return;
      case "crashed":
        return this.#recordHit();
      case "result":
        this.#result = message.result;
        return;
      case "failed":
        return;
    }
  }

  #continue(position: number, restoredFrom: number | undefined): void {
    const hit = this.#hit;
    if (hit !== undefined) {
      if (restoredFrom === undefined) throw new Error(`Nothing was restored after a kill. attempt=${this.#attempt}.`);
      this.#noteUnreported(restoredFrom, position);
      this.#kills.push({ ...hit, restoredFrom, restoredPosition: position });
      this.#parts.progress.restored(restoredFrom, position);
      this.#hit = undefined;
    }
    this.#startedMs ??= performance.now();
    this.#attempt++;
    this.#stage = "processing";
    this.#move(position);
  }

  /** A checkpoint that was published a moment before the kill, so that nobody could tell. */
  #noteUnreported(id: number, position: number): void {
    if (!this.#checkpoints.some((known) => known.id === id)) {
      this.#checkpoints.push({ id, attempt: this.#attempt, position });
    }
  }

  #move(position: number): void {
    this.#position = position;
    this.#parts.progress.moved(position);
  }

  #considerKill(moment: PlannedKill["aim"]): void {
    const next = this.#plan[0];
    if (next === undefined || this.#checkpoints.length === 0 || this.#position < next.position) return;
    // One that is late hits at any moment: when the last checkpoint starts the one before has completed, so that there still is
    // work to lose. After the last checkpoint there is none, and the kill would prove nothing.
    if (next.aim === "processing") this.#fire();
    else if (moment === "upload") this.#timer ??= setTimeout(() => this.#fire(), next.delayMs);
  }

  #fire(): void {
    if (this.#fired) return;
    this.#fired = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#entry.crash === "process") this.#process?.kill();
    else this.#process?.tell({ type: "crash" });
  }

  #recordHit(): void {
    this.#hit = { attempt: this.#attempt, position: this.#position, during: this.#stage };
    this.#fired = false;
    this.#result = undefined;
    this.#plan.shift();
    const { kills: total } = this.#parts.options;
    this.#parts.progress.killed({ ...this.#hit, number: this.#kills.length + 1, total, what: this.#entry.crash });
  }
}
