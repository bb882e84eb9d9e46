import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasCode } from "../errors.js";
import { KeyGroups, keyGroupOf, OPERATOR_GROUP, splitKeyGroups } from "./key-groups.js";

const SIZE = 24;
const range = fc
  .tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 0, max: SIZE - 1 }))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const ranges = fc.array(range, { maxLength: 5 });

function groupsOf(sources: readonly { first: number; last: number }[]): number[] {
  return Array.from({ length: SIZE }, (_, group) => group).filter((group) =>
    sources.some(({ first, last }) => first <= group && group <= last),
  );
}

describe("T110 keyGroupOf", () => {
  test("it is the unsigned hash modulo maxParallelism", () => {
    expect(keyGroupOf(0xffff_ffff, 128)).toBe(127);
    expect(keyGroupOf(0x8000_0000, 100)).toBe(48);
    expect(keyGroupOf(0xffff_ffff, 1)).toBe(0);
    expect(keyGroupOf(0x1_7fff >>> 0, 32_768)).toBe(32_767);
  });
});

describe("T110 KeyGroups", () => {
  test("a set has exactly the groups of its ranges, in shortest form", () => {
    fc.assert(
      fc.property(ranges, (sources) => {
        const groups = KeyGroups.of(sources);
        const expected = groupsOf(sources);
        expect([...groups]).toEqual(expected);
        expect(groups.count).toBe(expected.length);
        for (let group = -1; group <= SIZE; group++) expect(groups.has(group)).toBe(expected.includes(group));
        for (const [index, { first }] of groups.ranges.entries()) {
          if (index > 0) expect(first).toBeGreaterThan((groups.ranges[index - 1]?.last as number) + 1);
        }
      }),
    );
  });

  test("intersection, subset and equality are those of sets", () => {
    fc.assert(
      fc.property(ranges, ranges, (left, right) => {
        const a = KeyGroups.of(left);
        const b = KeyGroups.of(right);
        const common = groupsOf(left).filter((group) => b.has(group));
        expect([...a.intersect(b)]).toEqual(common);
        expect(a.isSubsetOf(b)).toBe(common.length === a.count);
        expect(a.equals(b)).toBe(String(groupsOf(left)) === String(groupsOf(right)));
        expect(a.intersect(b).equals(b.intersect(a))).toBe(true);
      }),
    );
  });

  test("JSON round-trips", () => {
    fc.assert(
      fc.property(ranges, (sources) => {
        const groups = KeyGroups.of(sources);
        expect(KeyGroups.fromJSON(JSON.parse(JSON.stringify(groups))).equals(groups)).toBe(true);
      }),
    );
    expect(
      JSON.stringify(
        KeyGroups.of([
          { first: 3, last: 4 },
          { first: 0, last: 1 },
        ]),
      ),
    ).toBe("[[0,1],[3,4]]");
  });

  test.each([
    ["no array", {}],
    ["null", null],
    ["a triple", [[0, 1, 2]]],
    ["a number", [5]],
    [
      "overlapping",
      [
        [0, 4],
        [4, 6],
      ],
    ],
    [
      "adjacent",
      [
        [0, 4],
        [5, 6],
      ],
    ],
    [
      "descending",
      [
        [5, 6],
        [0, 1],
      ],
    ],
    ["empty", [[2, 1]]],
    ["fractional", [[0, 1.5]]],
    ["negative", [[-1, 1]]],
    ["too large", [[0, 65_536]]],
    ["text", [["0", "1"]]],
  ])("JSON that is %s is CHECKPOINT_CORRUPT", (_, json) => {
    let failure: unknown;
    try {
      KeyGroups.fromJSON(json);
    } catch (error) {
      failure = error;
    }
    expect(hasCode(failure, "CHECKPOINT_CORRUPT")).toBe(true);
  });

  test("a set cannot be changed", () => {
    const groups = KeyGroups.all(4);
    expect(Object.isFrozen(groups.ranges)).toBe(true);
    expect(Object.isFrozen(groups.ranges[0])).toBe(true);
  });

  test("ranges and parallelism out of bounds are a RangeError that says what was expected", () => {
    expect(() => KeyGroups.of([{ first: 1, last: 0 }])).toThrow(/expected=.*received=\[1, 0\]/);
    expect(() => KeyGroups.of([{ first: 0, last: OPERATOR_GROUP + 1 }])).toThrow(RangeError);
    for (const maxParallelism of [0, -1, 1.5, 32_769, Number.NaN]) {
      expect(() => KeyGroups.all(maxParallelism)).toThrow(/expected=.*received=/);
    }
    for (const parallelism of [0, 11, 1.5]) expect(() => splitKeyGroups(10, parallelism)).toThrow(RangeError);
  });
});

describe("T110 splitKeyGroups", () => {
  test.each([
    [
      10,
      3,
      [
        [0, 3],
        [4, 6],
        [7, 9],
      ],
    ],
    [
      128,
      3,
      [
        [0, 42],
        [43, 85],
        [86, 127],
      ],
    ],
    [
      128,
      7,
      [
        [0, 18],
        [19, 36],
        [37, 54],
        [55, 73],
        [74, 91],
        [92, 109],
        [110, 127],
      ],
    ],
    [
      4,
      4,
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ],
  ])("%i groups for %i tasks are Flink's ranges", (maxParallelism, parallelism, expected) => {
    expect(splitKeyGroups(maxParallelism, parallelism).map(({ ranges: [only] }) => [only?.first, only?.last])).toEqual(
      expected,
    );
  });

  test("every group has one owner, the one that Flink's inverse names", () => {
    const sizes = fc
      .integer({ min: 1, max: 300 })
      .chain((max) => fc.tuple(fc.constant(max), fc.integer({ min: 1, max })));
    fc.assert(
      fc.property(sizes, ([maxParallelism, parallelism]) => {
        const owners = splitKeyGroups(maxParallelism, parallelism);
        expect(owners.reduce((sum, { count }) => sum + count, 0)).toBe(maxParallelism);
        for (const [index, groups] of owners.entries()) {
          for (const group of groups) expect(Math.floor((group * parallelism) / maxParallelism)).toBe(index);
        }
      }),
    );
    expect(splitKeyGroups(32_768, 32_768)).toHaveLength(32_768);
  });
});
