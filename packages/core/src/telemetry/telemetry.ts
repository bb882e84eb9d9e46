/** What one job publishes: one call for each thing that happens. Where nobody listens, a call is a look at a flag. */

import type { Clock } from "../contracts/clock.js";
import { isHeard, publish } from "./channels.js";
import type { CheckpointEndMessage, CheckpointStartMessage } from "./messages.js";
import { sampledHandle } from "./sampled-handle.js";

type Ended = Omit<CheckpointEndMessage, "job" | "error"> & { readonly error?: unknown };

/** What is asked for only if someone wants to know. */
export interface MemoryFigures {
  readonly memtableBytes: () => number;
  /** What stores have as well. */
  readonly cacheBytes: () => number;
  readonly limitBytes: number;
}

export class Telemetry {
  readonly #job: string;
  readonly #clock: Clock;

  constructor(job: string, clock: Clock) {
    this.#job = job;
    this.#clock = clock;
  }

  /** All tasks are frozen. */
  barrier(id: number, kind: CheckpointStartMessage["kind"], memory: MemoryFigures): void {
    publish("tidemark:checkpoint:start", () => ({ job: this.#job, id, kind }));
    this.#memory(memory);
  }

  /** A checkpoint has ended, either way; gives back what it is given. */
  ended<Info extends Ended>(info: Info, memory: MemoryFigures): Info {
    publish("tidemark:checkpoint:end", () => {
      const { id, kind, status, durationMs, syncPauseMs, fullBytes, incrementalBytes, endedAt, error } = info;
      const sizes = { fullBytes, incrementalBytes };
      return { job: this.#job, id, kind, status, durationMs, syncPauseMs, ...sizes, endedAt, error };
    });
    this.#memory(memory);
    return info;
  }

  /** Checkpoint `by` was published, and `ids` went for it. */
  subsumed(by: number, ids: readonly number[]): void {
    for (const id of ids) publish("tidemark:checkpoint:subsumed", () => ({ job: this.#job, id, by }));
  }

  /** The job continues from a checkpoint, if from any. */
  restored(checkpoint: number | undefined, startedMs: number, bytes: () => number): void {
    if (checkpoint === undefined) return;
    publish("tidemark:restore", () => {
      const durationMs = this.#clock.monotonic() - startedMs;
      return { job: this.#job, checkpoint, durationMs, bytes: bytes() };
    });
  }

  /** The handle itself, unless someone listens now: then one that samples. */
  handle(operator: string, state: string, handle: unknown): unknown {
    if (!isHeard("tidemark:state:access")) return handle;
    return sampledHandle(handle as object, { job: this.#job, operator, state, clock: this.#clock });
  }

  #memory({ memtableBytes, cacheBytes, limitBytes }: MemoryFigures): void {
    publish("tidemark:memory", () => ({
      job: this.#job,
      memtableBytes: memtableBytes(),
      cacheBytes: cacheBytes(),
      limitBytes,
    }));
  }
}
