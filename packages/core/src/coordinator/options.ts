/** Settings of the checkpoint loop: defaults beside their meaning, validated once. */

import type { Compression } from "../segment/format.js";

export interface CheckpointOptions {
  /**
   * Milliseconds between the starts of automatic checkpoints; 0 for none. With automatic checkpoints a barrier may come between
   * any two turns of the event loop: handle records through `process`, or change state and source position in one turn.
   * @defaultValue 0
   */
  readonly intervalMs?: number;
  /**
   * Milliseconds from the end of one automatic checkpoint to the start of the next, at least. Above 0 there is one checkpoint at a
   * time, whatever `concurrentMax` is.
   * @defaultValue 0
   */
  readonly minPauseMs?: number;
  /**
   * Milliseconds after which a checkpoint whose upload has not ended is aborted, and for which `advanceWatermark` waits for the
   * records in flight.
   * @defaultValue 600_000
   */
  readonly timeoutMs?: number;
  /**
   * How many completed checkpoints are kept.
   * @defaultValue 1
   */
  readonly retain?: number;
  /**
   * How many automatic checkpoints in a row may fail before the task refuses to go on.
   * @defaultValue 3
   */
  readonly toleratedFailures?: number;
  /**
   * Milliseconds that a segment stays after nothing needs it any more, for those who still read it.
   * @defaultValue 60_000
   */
  readonly graceMs?: number;
  /**
   * How blocks of segments are compressed.
   * @defaultValue "none"
   */
  readonly compression?: Compression;
  /**
   * Bytes that changes may take in memory until they are in a completed checkpoint. At 60 % `ready` starts a checkpoint, at
   * 100 % it waits for it.
   * @defaultValue what the stores of the backend say for each task, else 268_435_456
   */
  readonly memoryBytes?: number;
  /**
   * Whether records are handled while a checkpoint or savepoint is uploaded. If not, `process` admits none until it has ended.
   * @defaultValue true
   */
  readonly asyncSnapshots?: boolean;
  /**
   * How many incremental checkpoints may be between barrier and completion at one time, 1 to 4. They complete in the order of their
   * ids. Above 1 automatic ones begin at every interval while there is room; one that begins beside others uploads what its barrier froze,
   * and compaction waits for one that begins alone. Full checkpoints and savepoints have no other beside them.
   * @defaultValue 1
   */
  readonly concurrentMax?: number;
}

export type CheckpointSettings = Required<CheckpointOptions>;

const DEFAULTS: CheckpointSettings = Object.freeze({
  intervalMs: 0,
  minPauseMs: 0,
  timeoutMs: 600_000,
  retain: 1,
  toleratedFailures: 3,
  graceMs: 60_000,
  compression: "none",
  memoryBytes: 256 * 1024 * 1024,
  asyncSnapshots: true,
  concurrentMax: 1,
});

const CONCURRENT_MOST = 4;

const LEAST: Readonly<Record<Exclude<keyof CheckpointSettings, "compression" | "asyncSnapshots">, number>> = {
  intervalMs: 0,
  minPauseMs: 0,
  timeoutMs: 1,
  retain: 1,
  toleratedFailures: 0,
  graceMs: 0,
  memoryBytes: 64 * 1024,
  concurrentMax: 1,
};

/**
 * Options with their defaults, frozen; `preferred` go before the usual defaults.
 * @throws {RangeError} if a number is not an integer, or too small
 * @throws {TypeError} if an option is not known
 */
export function checkpointSettings(
  options: CheckpointOptions,
  preferred: Pick<CheckpointOptions, "memoryBytes"> = {},
): CheckpointSettings {
  for (const name of Object.keys(options)) {
    if (!(name in DEFAULTS)) {
      throw new TypeError(`Unknown checkpoint option. received=${name} known=${Object.keys(DEFAULTS).join(",")}.`);
    }
  }
  const given = Object.entries(options).filter(([, setting]) => setting !== undefined);
  const settings: CheckpointSettings = {
    ...DEFAULTS,
    ...preferred,
    ...(Object.fromEntries(given) as CheckpointOptions),
  };
  for (const [name, least] of Object.entries(LEAST)) {
    const received = settings[name as keyof typeof LEAST];
    if (!Number.isSafeInteger(received) || received < least) {
      throw new RangeError(
        `Checkpoint option out of range. option=${name} received=${received} expected=an integer >= ${least}.`,
      );
    }
  }
  if (settings.concurrentMax > CONCURRENT_MOST) {
    throw new RangeError(
      `Checkpoint option out of range. option=concurrentMax received=${settings.concurrentMax} expected=an integer from 1 to ${CONCURRENT_MOST}.`,
    );
  }
  if (settings.compression !== "none" && settings.compression !== "deflate") {
    throw new RangeError(`Unknown compression. received=${String(settings.compression)} expected=none,deflate.`);
  }
  if (typeof settings.asyncSnapshots !== "boolean") {
    throw new TypeError(`asyncSnapshots is not a boolean. received=${String(settings.asyncSnapshots)}.`);
  }
  const isOneAtATime = !settings.asyncSnapshots || settings.minPauseMs > 0;
  return Object.freeze(isOneAtATime ? { ...settings, concurrentMax: 1 } : settings);
}
