/** Reproducible randomness: the same seed gives the same run. */

const GOLDEN = 0x9e37_79b9;

/** A bijection of 32-bit numbers that scatters them (the finalizer of murmur3). */
export function scatter(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A sequence of 32-bit numbers that its seed determines (splitmix32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = scatter(seed + GOLDEN);
  }

  uint32(): number {
    this.#state = (this.#state + GOLDEN) >>> 0;
    return scatter(this.#state);
  }

  /** From 0 to 1, 1 excluded. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}
