/** What became of the last checkpoints. */

const ENTRIES_MAX = 100;

/** One checkpoint or savepoint, for people and metrics. */
export interface CheckpointInfo {
  readonly id: number;
  readonly kind: "incremental" | "full" | "savepoint";
  readonly status: "completed" | "failed";
  /** What a restore of it reads of segments, bytes. */
  readonly fullBytes: number;
  /** What it wrote of segments, bytes. */
  readonly incrementalBytes: number;
  /** For how long the barrier held the tasks up, milliseconds. */
  readonly syncPauseMs: number;
  /** From the trigger to the end, milliseconds. */
  readonly durationMs: number;
  /** When it ended, milliseconds since 1970 by the clock of the job. */
  readonly endedAt: number;
  /** Why it failed. */
  readonly error?: unknown;
}

/** The last completed checkpoint, and how much would be done again after a crash. */
export interface CompletedCheckpoint {
  readonly id: number;
  /** When it ended, milliseconds since 1970 by the clock of the job. */
  readonly endedAt: number;
  /** Milliseconds since it ended, by the monotonic clock. */
  readonly ageMs: number;
}

/** The most recent checkpoints, oldest first. */
export class History {
  #entries: readonly CheckpointInfo[] = [];

  get entries(): readonly CheckpointInfo[] {
    return this.#entries;
  }

  add(info: CheckpointInfo): CheckpointInfo {
    this.#entries = [...this.#entries, Object.freeze(info)].slice(-ENTRIES_MAX);
    return info;
  }
}
