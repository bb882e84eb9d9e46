/**
 * The one door for time and randomness, so that a seed replays a failure and time needs no sleeping in tests.
 */

/** A timer that was set; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Where all of Tidemark takes its time from. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970-01-01 UTC, an integer. May step back. */
  now(): number;
  /**
   * Calls `action` once, at the end of this turn of the event loop. With it, reads of values that expire need not each ask for the time:
   * it may stand still during one turn, for some hundreds of calls.
   * @defaultValue every read asks `now`
   */
  atTurnEnd?(action: () => void): void;
  /** Milliseconds since an arbitrary moment, with fractions. Never steps back. */
  monotonic(): number;
  /** Calls `action` once, not before `delayMs` have passed. Keeps the process alive only if someone waits for it. */
  schedule(delayMs: number, action: () => void, isAwaited?: boolean): Timer;
  /** Lets other work of the event loop run, then resolves. */
  yield(): Promise<void>;
}

/** Where all of Tidemark takes its randomness from. */
export interface Random {
  /** `length` random bytes; the caller owns the result. */
  bytes(length: number): Uint8Array;
}
