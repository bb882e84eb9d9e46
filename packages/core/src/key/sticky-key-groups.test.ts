import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyGroups, splitKeyGroups } from "./key-groups.js";
import { stickyKeyGroups } from "./sticky-key-groups.js";

function checkDealt(tasks: readonly KeyGroups[], maxParallelism: number): void {
  const counts = tasks.map(({ count }) => count);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(maxParallelism);
  expect(KeyGroups.of(tasks.flatMap(({ ranges }) => ranges)).equals(KeyGroups.all(maxParallelism))).toBe(true);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
}

test("T77 sticky key groups are never lost, never owned twice and balanced, whatever there was before", () => {
  const previous = fc.array(fc.uniqueArray(fc.nat(63), { maxLength: 64 }), { maxLength: 8 });
  fc.assert(
    fc.property(previous, fc.integer({ min: 1, max: 64 }), fc.nat(64), (layout, maxParallelism, wanted) => {
      const parallelism = 1 + (wanted % maxParallelism);
      const groups = layout.map((task) => KeyGroups.of(task.map((group) => ({ first: group, last: group }))));
      checkDealt(stickyKeyGroups(groups, parallelism, maxParallelism), maxParallelism);
    }),
  );
});

test("T77 one task more moves at most its own share of sticky key groups, any number of times", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(20), (maxParallelism, from) => {
      let tasks = splitKeyGroups(maxParallelism, 1 + (from % (maxParallelism - 1)));
      for (let step = 0; step < 10 && tasks.length < maxParallelism; step++) {
        const next = stickyKeyGroups(tasks, tasks.length + 1, maxParallelism);
        checkDealt(next, maxParallelism);
        const stayed = tasks.reduce((sum, groups, i) => sum + groups.intersect(next[i] as KeyGroups).count, 0);
        expect(maxParallelism - stayed).toBeLessThanOrEqual(Math.ceil(maxParallelism / next.length));
        tasks = next;
      }
    }),
  );
});

test("T77 sticky key groups of the same number of tasks stay, and without a layout are even ranges", () => {
  const even = splitKeyGroups(128, 5);
  expect(stickyKeyGroups([], 5, 128)).toEqual(even);
  expect(stickyKeyGroups(even, 5, 128)).toEqual(even);
  expect(() => stickyKeyGroups(even, 129, 128)).toThrow(RangeError);
});
