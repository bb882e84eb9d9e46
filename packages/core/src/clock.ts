/** The system's clock and randomness. No other file may ask the system for either. */

import { randomBytes } from "node:crypto";
import type { Clock, Random } from "./contracts/clock.js";

/** Time of this machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  atTurnEnd(action: () => void) {
    setImmediate(action).unref();
  },
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
