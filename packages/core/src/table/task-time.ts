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

/** So many calls of one turn see one time; then the clock is asked again, so that a long turn does not stop the time. */
const CALLS_PER_LOOK = 1024;
/** The time is moved by hand. */
const UNTIL_MOVED = 2 ** 30;

/** For how many more calls a state may take for granted that time stands still. Taken away, to 0, when time moves and when a turn ends. */
export interface Standstill {
  calls: number;
}

export class TaskTime {
  readonly #clock: Clock;
  readonly #standstills: Standstill[] = [];
  #processing: number;
  #watermark: number | undefined;
  /** In this turn, before the clock is asked again. */
  #callsLeft = 0;
  #isTurnKnown = false;

  constructor(clock: Clock, seen: TimeSeen = { processing: 0, watermark: null }) {
    this.#clock = clock;
    this.#processing = seen.processing;
    this.#watermark = seen.watermark ?? undefined;
  }

  /** Milliseconds since 1970. */
  processing(): number {
    const now = this.#clock.now();
    if (now > this.#processing) {
      this.#processing = now;
      this.#endStandstills();
    }
    return this.#processing;
  }

  /**
   * As `processing`, but may stand still during one turn of the event loop. Asking the clock is a barrier to the processor: memory that
   * is waited for before and after it is waited for in turn.
   */
  processingInTurn(): number {
    if (this.#callsLeft > 0) {
      this.#callsLeft--;
      return this.#processing;
    }
    if (this.#clock.atTurnEnd !== undefined) {
      if (!this.#isTurnKnown) this.#clock.atTurnEnd(() => this.#endTurn());
      this.#isTurnKnown = true;
      this.#callsLeft = CALLS_PER_LOOK;
    }
    return this.processing();
  }

  /** Of a state that shall be told by it when time moves. */
  standstill(): Standstill {
    const standstill = { calls: 0 };
    this.#standstills.push(standstill);
    return standstill;
  }

  /** Lets time stand still for a state that has just asked for it: by the watermark until that moves, else for what is left of the turn. */
  standStill(standstill: Standstill, isEventTime: boolean): void {
    standstill.calls = isEventTime ? UNTIL_MOVED : this.#callsLeft;
    if (!isEventTime) this.#callsLeft = 0;
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
    this.#endStandstills();
    return watermark !== current;
  }

  /** As it is now. */
  seen(): TimeSeen {
    return { processing: this.processing(), watermark: this.#watermark ?? null };
  }

  #endTurn(): void {
    this.#isTurnKnown = false;
    this.#callsLeft = 0;
    this.#endStandstills();
  }

  #endStandstills(): void {
    for (const standstill of this.#standstills) standstill.calls = 0;
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
