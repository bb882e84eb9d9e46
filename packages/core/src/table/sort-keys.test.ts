/** Sorting by leads against sorting by the keys alone. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import { Slicer } from "../segment/slicer.js";
import { sortFewKeys, sortKeys, TextKeys } from "./sort-keys.js";

const units = fc.constantFrom("\u0000", "\u0001", "a", "b", "\u00ff", "\u0100", "\u01ff", "\u4e2d", "\u4e2e", "\uffff");
const texts = fc.oneof(
  fc.string({ unit: units, maxLength: 9 }),
  fc.string({ unit: units, minLength: 6, maxLength: 7 }),
);
const lists = fc
  .tuple(texts, fc.array(texts, { maxLength: 60 }))
  .map(([start, rest]) => rest.map((text) => start + text));

function plainly(keys: readonly string[]): number[] {
  return keys
    .map((_, at) => at)
    .sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : keys[a] === keys[b] ? a - b : 1));
}

describe("sorted keys", () => {
  test("T111 are in the order of their units, equal ones as they came", async () => {
    await fc.assert(
      fc.asyncProperty(lists, async (keys) => {
        const sorted = await sortKeys(new TextKeys(keys), new Slicer(systemClock));
        const expected = plainly(keys);
        expect([...sorted.places]).toEqual(expected);
        expect([...sortFewKeys(new TextKeys(keys))]).toEqual(expected);
        for (let at = 0; at + 1 < keys.length; at++) {
          expect(sorted.isSameAsNext(at)).toBe(keys[expected[at] as number] === keys[expected[at + 1] as number]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("T111 are sorted in several runs as in one", async () => {
    // Many share their lead, and some their text.
    const keys = Array.from(
      { length: 50_000 },
      (_, at) => `key-${((at * 7_919) % 20_011).toString(7).padStart(9, "0")}`,
    );
    const expected = plainly(keys);
    const sorted = await sortKeys(new TextKeys(keys), new Slicer(systemClock));
    expect([...sorted.places]).toEqual(expected);
    expect([...sortFewKeys(new TextKeys(keys))]).toEqual(expected);
  });
});
