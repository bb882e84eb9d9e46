/** What the sides of `lsm` do: which keys are touched in which order, and what is stored under them. */

import { keysUpTo, uniformPicks, zipfDraw } from "../harness/keys.js";

export interface Sizes {
  readonly keyCount: number;
  /** Operations that are timed. */
  readonly operations: number;
  readonly checkpointEvery: number;
}

export type Distribution = "uniform" | "zipf";

export interface Work {
  readonly keys: readonly string[];
  /** Places in `keys`. */
  readonly picks: Uint32Array;
}

const KEY_BYTES = 16;
const VALUE_BYTES = 100;
const COUNT_DIGITS = 8;
const ZIPF_EXPONENT = 0.99;
const MIB = 1024 * 1024;
/** Operations between two writes, or two looks at the clock, and how many are in flight. */
export const BATCH = 1_000;

const scratch = Buffer.alloc(VALUE_BYTES, ".");

export function workOf({ keyCount, operations }: Sizes, distribution: Distribution, seed: number): Work {
  const draw = distribution === "zipf" ? zipfDraw(keyCount, ZIPF_EXPONENT, seed) : undefined;
  const picks =
    draw === undefined
      ? uniformPicks(operations, keyCount, seed)
      : Uint32Array.from({ length: operations }, () => draw());
  return { keys: keysUpTo(keyCount), picks };
}

/** A quarter of the state, for everything that it takes in memory. */
export function budgetOf(keyCount: number): number {
  return Math.max(16 * MIB, Math.ceil((keyCount * (KEY_BYTES + VALUE_BYTES)) / 4));
}

/** A text of 100 bytes that begins with a count. A new flat string at each call. */
export function valueWith(count: number): string {
  let rest = count;
  for (let digit = COUNT_DIGITS - 1; digit >= 0; digit--) {
    scratch[digit] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return scratch.toString("latin1", 0, VALUE_BYTES);
}

export function countIn(value: string): number {
  let count = 0;
  for (let digit = 0; digit < COUNT_DIGITS; digit++) count = count * 10 + value.charCodeAt(digit) - 48;
  return count;
}

/** Looks whether `read` gives what the work leaves behind, at one key in a thousand. */
export function checkCounts({ keys, picks }: Work, read: (key: string) => string | undefined): void {
  const counts = new Uint32Array(keys.length);
  for (const pick of picks) counts[pick] = (counts[pick] as number) + 1;
  for (let index = 0; index < keys.length; index += 1_000) {
    const found = countIn(read(keys[index] as string) ?? "");
    if (found !== counts[index]) {
      throw new Error(`Wrong count. index=${index} found=${found} expected=${String(counts[index])}`);
    }
  }
}
