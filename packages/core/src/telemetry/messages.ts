/**
 * What a job says about itself on `node:diagnostics_channel`. Names of channels and fields are API.
 *
 * Invariants:
 * - A message is a frozen plain object, made only if its channel has subscribers.
 * - Every `tidemark:checkpoint:start` is followed by one `tidemark:checkpoint:end` of the same job and id.
 */

/** A barrier has been: everything written before it is in the checkpoint to come. */
export interface CheckpointStartMessage {
  readonly job: string;
  readonly id: number;
  readonly kind: "incremental" | "full" | "savepoint";
}

/** A checkpoint or savepoint has ended; the figures are those of its `CheckpointInfo`. */
export interface CheckpointEndMessage extends CheckpointStartMessage {
  readonly status: "completed" | "failed";
  /** From the trigger to the end, milliseconds. */
  readonly durationMs: number;
  /** For how long the barrier held the tasks up, milliseconds. */
  readonly syncPauseMs: number;
  /** What a restore of it reads of segments, bytes. */
  readonly fullBytes: number;
  /** What it wrote of segments, bytes. */
  readonly incrementalBytes: number;
  /** When it ended, milliseconds since 1970 by the clock of the job. */
  readonly endedAt: number;
  /** Why it failed; `undefined` if it did not. */
  readonly error: unknown;
}

/** A newer checkpoint has replaced an older one, which can no longer be restored. */
export interface CheckpointSubsumedMessage {
  readonly job: string;
  readonly id: number;
  /** The checkpoint whose completion did it. */
  readonly by: number;
}

/** A job was opened from a checkpoint. */
export interface RestoreMessage {
  readonly job: string;
  /** Id of the checkpoint that was restored. */
  readonly checkpoint: number;
  /** From the call that opens the job until its tasks take records, milliseconds. */
  readonly durationMs: number;
  /** Bytes of segments that its tasks stand on. */
  readonly bytes: number;
}

/** One call of a state in 64, by operation. */
export interface StateAccessMessage {
  readonly job: string;
  readonly operator: string;
  readonly state: string;
  /** The method of the handle: `get`, `getSync`, `set`, … */
  readonly operation: string;
  /** Until the call returned or, if it gave a promise, until that settled, nanoseconds. */
  readonly durationNs: number;
}

/** Memory that a job takes, after each barrier and at the end of each checkpoint. */
export interface MemoryMessage {
  readonly job: string;
  /** Changes that are in no completed checkpoint, estimated bytes. */
  readonly memtableBytes: number;
  /** Read cache, bytes; 0, as both backends have their state in memory. */
  readonly cacheBytes: number;
  /** The job's `memoryBytes`. */
  readonly limitBytes: number;
}

/** The message of each channel, by the channel's name. */
export interface TelemetryMessages {
  readonly "tidemark:checkpoint:start": CheckpointStartMessage;
  readonly "tidemark:checkpoint:end": CheckpointEndMessage;
  readonly "tidemark:checkpoint:subsumed": CheckpointSubsumedMessage;
  readonly "tidemark:restore": RestoreMessage;
  readonly "tidemark:state:access": StateAccessMessage;
  readonly "tidemark:memory": MemoryMessage;
}
