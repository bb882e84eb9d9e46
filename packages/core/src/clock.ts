/** The system's clock and randomness. No other file may ask the system for either. */

import { randomBytes } from "node:crypto";
import type { Clock, Random } from "./contracts/clock.js";

/** So many calls of one turn are answered alike; then the system is asked again, so that a long turn does not stop the time. */
const CALLS_PER_LOOK = 1024;
let turn: number | undefined;
let callsLeft = 0;

function endTurn(): void {
  turn = undefined;
}

/** Asking the system is a barrier to the processor: memory that is waited for before and after it is waited for in turn. */
function turnNow(): number {
  if (turn !== undefined && callsLeft-- > 0) return turn;
  if (turn === undefined) setImmediate(endTurn).unref();
  callsLeft = CALLS_PER_LOOK;
  turn = Date.now();
  return turn;
}

/** Time of this machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  turnNow,
  monotonic: () => performance.now(),
  schedule(delayMs: number, action: () => void, isAwaited = false) {
    const handle = setTimeout(action, delayMs);
    if (!isAwaited) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  yield: () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve);
    }),
});

/** Cryptographic randomness of this machine. */
export const systemRandom: Random = Object.freeze({ bytes: (length: number) => randomBytes(length) });
