/** Randomness that a seed repeats. Not for secrets. */

import type { Random } from "../../src/index.js";

/** A `Random` that also draws numbers. */
export interface SeededRandom extends Random {
  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number;
}

/** @see Sebastiano Vigna, "splitmix64", here its variant with 32 bits of state */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}
