/**
 * What time it is for a task: by the clock of the job, and by the watermark of its input.
 *
 * Invariants:
 * - Neither goes back, also not over restores: what has expired or fired stays so when a clock is set back.
 */

import type { Clock } from "../contracts/clock.js";
import { StateBackendError } from "../errors.js";

/** The times at a barrier, as they stand in a manifest. */
export interface TimeSeen {
  /** Milliseconds since 1970 by the clock of the job, the highest seen. */
  readonly processing: number;
  /** The highest watermark; null before the first. */
  readonly watermark: number | null;
}

export class TaskTime {
  readonly #clock: Clock;
  readonly #turnNow: () => number;
  #processing: number;
  #watermark: number | undefined;

  constructor(clock: Clock, seen: TimeSeen = { processing: 0, watermark: null }) {
    this.#clock = clock;
    this.#turnNow = clock.turnNow === undefined ? () => clock.now() : clock.turnNow.bind(clock);
    this.#processing = seen.processing;
    this.#watermark = seen.watermark ?? undefined;
  }

  /** Milliseconds since 1970. */
  processing(): number {
    const now = this.#clock.now();
    if (now > this.#processing) this.#processing = now;
    return this.#processing;
  }

  /** As `processing`, but may stand still during one turn of the event loop. */
  processingInTurn(): number {
    const now = this.#turnNow();
    if (now > this.#processing) this.#processing = now;
    return this.#processing;
  }

  /** No record with a lower time is expected any more; `undefined` before the first watermark. */
  get watermark(): number | undefined {
    return this.#watermark;
  }

  /**
   * Moves the watermark on. Whether it moved: the same one again does nothing.
   * @throws {StateBackendError} VALUE_INVALID if it is not a safe integer, or goes back
   */
  advance(watermark: number): boolean {
    const current = this.#watermark;
    if (!Number.isSafeInteger(watermark) || (current !== undefined && watermark < current)) {
      throw new StateBackendError(
        "VALUE_INVALID",
        `A watermark cannot be taken. received=${String(watermark)} current=${String(current)} expected=a safe integer, not below the current one. Pass the highest time that you have seen: after a restore, begin with the task's watermark.`,
      );
    }
    this.#watermark = watermark;
    return watermark !== current;
  }

  /** As it is now. */
  seen(): TimeSeen {
    return { processing: this.processing(), watermark: this.#watermark ?? null };
  }
}

/**
 * The times that a task continues from which takes over from several: the clock of a job is one, so its highest counts; of watermarks
 * the lowest, since a record that one of the tasks still expected may come.
 */
export function combinedTime(times: readonly TimeSeen[]): TimeSeen {
  return {
    processing: Math.max(0, ...times.map(({ processing }) => processing)),
    watermark: times.reduce<number | null>(
      (lowest, { watermark }) => (lowest === null || watermark === null ? null : Math.min(lowest, watermark)),
      times.length === 0 ? null : Number.MAX_SAFE_INTEGER,
    ),
  };
}
