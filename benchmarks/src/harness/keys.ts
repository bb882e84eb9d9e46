/** Keys, and which of them a workload touches. */

import { scatter, SeededRandom } from "./random.js";

const KEY_CHARACTERS = 16;
const HEX = Buffer.from("0123456789abcdef", "latin1");
const scratch = Buffer.alloc(KEY_CHARACTERS);

/**
 * Key number `index`: 16 random hexadecimal digits. Keys of different numbers differ, since `scatter` is a bijection.
 * A new flat string at each call, as if it had just been read from a message.
 */
export function keyAt(index: number): string {
  const high = scatter(index ^ 0x5bd1_e995);
  const low = scatter(high + 0x27d4_eb2f);
  for (let digit = 0; digit < 8; digit++) {
    scratch[digit] = HEX[(high >>> (28 - 4 * digit)) & 15] as number;
    scratch[digit + 8] = HEX[(low >>> (28 - 4 * digit)) & 15] as number;
  }
  return scratch.toString("latin1", 0, KEY_CHARACTERS);
}

export function keysUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => keyAt(index));
}

/** `count` numbers below `limit`, repetition allowed, every one as likely. */
export function uniformPicks(count: number, limit: number, seed: number): Uint32Array {
  const random = new SeededRandom(seed);
  return Uint32Array.from({ length: count }, () => random.below(limit));
}

/** `count` different numbers below `limit`, in random order. */
export function distinctPicks(count: number, limit: number, seed: number): Uint32Array {
  const random = new SeededRandom(seed);
  const numbers = Uint32Array.from({ length: limit }, (_, index) => index);
  for (let at = 0; at < count; at++) {
    const other = at + random.below(limit - at);
    const taken = numbers[other] as number;
    numbers[other] = numbers[at] as number;
    numbers[at] = taken;
  }
  return numbers.slice(0, count);
}

/** Draws numbers below `limit`: number n comes with a probability proportional to 1 / (n + 1) ^ `exponent`. */
export function zipfDraw(limit: number, exponent: number, seed: number): () => number {
  const random = new SeededRandom(seed);
  const cumulated = new Float64Array(limit);
  let total = 0;
  for (let n = 0; n < limit; n++) {
    total += 1 / (n + 1) ** exponent;
    cumulated[n] = total;
  }
  return () => firstAtLeast(cumulated, random.fraction() * total);
}

function firstAtLeast(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
