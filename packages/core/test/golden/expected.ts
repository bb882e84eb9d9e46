/** What the golden bytes stand for, as plain JavaScript. Never changed. */

import type { ScalarKey } from "../../src/index.js";

const memory = Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256).buffer;

/** Keys that are hard to keep, each with a value of another type. */
export const STRUCTURED: readonly (readonly [ScalarKey, unknown])[] = [
  ["", null],
  ["\0", true],
  ["\0\u0001", false],
  ["a\0b", 0],
  ["ä", -0],
  ["\uffff", 1.5],
  ["😀", Number.NaN],
  ["__proto__", Number.NEGATIVE_INFINITY],
  ["constructor", 2 ** 53],
  ["x".repeat(300), -(2 ** 31)],
  [0, 300],
  [-1, 1e-300],
  [0.1, ""],
  [Number.NaN, "ascii"],
  [Number.POSITIVE_INFINITY, "ünï😀\0"],
  [-Number.MAX_VALUE, "long ".repeat(60)],
  [0n, 0n],
  [-1n, -1n],
  [1n << 80n, (1n << 700n) + 1n],
  [-(1n << 80n), new Date(0)],
  [true, new Date(-1.5e12)],
  [false, new Date(Number.NaN)],
  [new Uint8Array(0), []],
  [Uint8Array.of(0), [1, "two", null, undefined, [3n]]],
  [Uint8Array.of(255, 0, 1), {}],
  [[], { a: 1, "": undefined, "-1": { constructor: "own" }, length: 7 }],
  [
    ["a", 1],
    [
      { id: 1, tag: "x" },
      { id: 2, tag: "y" },
      { tag: "z", id: 3 },
    ],
  ],
  [
    ["a", [1n, true]],
    new Map<unknown, unknown>([
      ["k", 1],
      [2, new Map([[{ deep: [] }, null]])],
    ]),
  ],
  ["set", new Set<unknown>([1, "1", new Set([Number.NaN])])],
  ["int8", new Int8Array(memory, 8, 2)],
  ["uint8", new Uint8Array(memory, 3, 5)],
  ["uint8clamped", new Uint8ClampedArray(memory, 1, 2)],
  ["int16", new Int16Array(memory, 2, 3)],
  ["uint16", new Uint16Array(memory, 4, 1)],
  ["int32", new Int32Array(memory, 4, 2)],
  ["uint32", new Uint32Array(memory, 8, 1)],
  ["float32", Float32Array.of(1.5, -0, Number.NaN)],
  ["float64", Float64Array.of(Math.PI)],
  ["bigint64", BigInt64Array.of(-1n, 1n << 62n)],
  ["biguint64", BigUint64Array.of((1n << 64n) - 1n)],
  ["view", new DataView(memory, 5, 4)],
  ["buffer", memory],
];

const filler = Array.from({ length: 150 }, (_, i): [string, number] => [`filler ${i}`, i]);
const steps = Array.from({ length: 8 }, (_, step) => step);

/** What each keyed state of the first operator holds: keys and contents. */
export const EVERY_CONTENT: Readonly<Record<string, readonly (readonly [ScalarKey, unknown])[]>> = {
  values: [...STRUCTURED, ["cleared", "cleared"], ["kept", "kept"]],
  counts: [["filler 0", 1007], ...filler.slice(1)],
  lists: [
    ["cleared", ["replaced", "appended"]],
    ["kept", [1, 2, ...steps.map((step) => ({ step }))]],
  ],
  maps: [
    ["cleared", [["after the clear", true]]],
    ["kept", [[0, "base 0"], [2, "base 2"], ...steps.map((step) => [`step ${step}`, step])]],
  ],
  totals: [
    ["cleared", 1.5],
    ["kept", 1.75],
  ],
  means: [
    ["cleared", 1],
    ["kept", 1.5],
  ],
  "window values in 1": [
    ["cleared", "one"],
    ["kept", "one"],
  ],
  "window values in -2": [
    ["cleared", "minus two"],
    ["deleted", "minus two"],
    ["kept", "minus two"],
  ],
  "window lists": [
    ["cleared", [9]],
    ["kept", [1, 2]],
  ],
  "window maps": [
    ["cleared", [["c", 3]]],
    [
      "kept",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
  ],
  "window maps in 0": [["kept", steps.map((step) => [`${step}`, step])]],
  "window totals": [
    ["cleared", 5],
    ["kept", 5],
  ],
  "window means": [
    ["cleared", 5],
    ["kept", 5],
  ],
};

/** What the two tasks of the second operator hold together, key by key. */
export const SPREAD_KEYS: readonly (readonly [string, number])[] = Array.from({ length: 12 }, (_, i) => [
  `key ${i}`,
  i === 3 ? 107 : i,
]);

/** Operator state of the second operator, by task. */
export const SPREAD_SPLIT = [0, 1].map((i) => [`first ${i}`, ...steps.map((step) => `step ${step} of ${i}`)]);
export const SPREAD_UNION = [[0], [1]];
export const SPREAD_RULES = [
  ["a", null],
  ["b", { rate: 2 }],
  ["é", [1n]],
];
