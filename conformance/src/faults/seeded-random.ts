/** Randomness that a seed repeats. Not for secrets. */

import type { Random } from "@tidemark/core";

/** A `Random` that also draws numbers. */
export interface SeededRandom extends Random {
  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number;
}

/** @see Marsaglia, "Xorshift RNGs", with a multiplication at the end against its weak low bits */
export function seededRandom(seed: number): SeededRandom {
  let state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.imul(state, 0x85ebca6b) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}
