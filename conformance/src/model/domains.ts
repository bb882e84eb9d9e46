/**
 * Small domains, so that keys meet again, of the members that have broken others.
 *
 * Values are made anew at each use: what was given to a state must not be given to the model too.
 */

import type { ModelField, ModelKey } from "./key-order.js";

/** Few, so that every key group meets keys; more than any number of tasks. */
export const MAX_PARALLELISM = 6;

/** The time of day at which runs begin, milliseconds. */
export const START_MS = 1_000_000;

export const TEXT_KEYS: readonly string[] = [
  "",
  "\u0000",
  "a",
  "a\u0000b",
  "__proto__",
  "constructor",
  "ÿ",
  "😀",
  "a/b",
  "k".repeat(300),
  "ab",
  "\u0000\u0001",
];

export const NUMBER_KEYS: readonly number[] = [
  0,
  -0,
  Number.NaN,
  1e308,
  2 ** 53,
  -1,
  1,
  0.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
];

/** Keys of the two operators that the kit runs. */
export const KEY_DOMAINS: readonly (readonly ModelKey[])[] = [TEXT_KEYS, NUMBER_KEYS];

export const NAMESPACES: readonly string[] = ["", "w1", "\u0000", "__proto__"];

export const FIELDS: readonly ModelField[] = ["", "a", "\u0000", "__proto__", 0, -0, Number.NaN, 1, true, false, "😀"];

/** What reducing and aggregating states are given. */
export const TEXTS: readonly string[] = ["", "a", "b", "\u0000", "__proto__", "é😀", "x".repeat(40)];

type Make = () => unknown;

const SMALL: readonly Make[] = [
  () => null,
  () => 0,
  () => -0,
  () => Number.NaN,
  () => 1,
  () => 2 ** 53,
  () => "",
  () => "a",
  () => true,
  () => 2n ** 70n,
  () => [],
  () => ({}),
  () => ({ a: 1, b: [1, { c: null }] }),
  () => ({ constructor: 1, toString: "x" }),
  () => new Date(1234),
  () => new Map<unknown, unknown>([["k", { x: 1 }]]),
  () => new Set<unknown>([1, "a", new Date(1)]),
  () => new Uint8Array([1, 2, 3]),
  () => new Float64Array([0.5, -1]),
  () => new BigInt64Array([-1n]),
  () => ({ at: new Date(0), deep: [new Map([[1, new Set([2])]])] }),
  () => [new Uint8Array(0), "x", null],
];

/** Lengths about the boundaries of MessagePack, of varints and of blocks. */
const LARGE: readonly Make[] = [
  ...[31, 32, 127, 128, 255, 256, 16_383, 16_384].map(
    (length): Make =>
      () =>
        "x".repeat(length),
  ),
  ...[32_700, 65_535, 65_536].map(
    (length): Make =>
      () =>
        new Uint8Array(length),
  ),
  ...[15, 16, 300].map(
    (length): Make =>
      () =>
        Array.from({ length }, (_, index) => index),
  ),
];

/** Numbers below this one stand for values; one in sixteen is a large one. */
export const VALUE_CHOICES = 4096;

export function makeValue(choice: number): unknown {
  const isLarge = choice % 16 === 15;
  const makers = isLarge ? LARGE : SMALL;
  return (makers[Math.floor(choice / 16) % makers.length] as Make)();
}

/** The member of a domain that a number stands for. */
export function pick<T>(domain: readonly T[], choice: number): T {
  if (domain.length === 0) throw new RangeError("The domain is empty.");
  return domain[choice % domain.length] as T;
}
