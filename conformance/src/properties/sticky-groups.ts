/** (q) Dealing key groups to another number of tasks gives each group to one task, evenly, and moves as few as that allows. */

import type { KeyGroups, stickyKeyGroups } from "@tidemark/core";
import fc from "fast-check";
import { expectEqual, expectThat } from "../oracles/expectations.js";

export type Assign = typeof stickyKeyGroups;

/** Over any way from one number of tasks to another. */
export function stickyMovesFew(assign: Assign): fc.IAsyncProperty<unknown[]> {
  const ways = fc
    .integer({ min: 1, max: 64 })
    .chain((groups) => fc.tuple(fc.constant(groups), fc.array(fc.integer({ min: 1, max: groups }), { maxLength: 8 })));
  return fc.asyncProperty(ways, async ([maxParallelism, counts]) => {
    let before: readonly KeyGroups[] = [];
    for (const count of counts) {
      const after = assign(before, count, maxParallelism);
      expectBalanced(after, count, maxParallelism);
      if (before.length > 0) expectFewMoved(before, after, maxParallelism);
      expectEqual(ownersOf(assign(before, count, maxParallelism)), ownersOf(after), "The same question again");
      before = after;
    }
    await Promise.resolve();
  });
}

function expectBalanced(tasks: readonly KeyGroups[], count: number, maxParallelism: number): void {
  expectThat(tasks.length === count, `${tasks.length} tasks where ${count} were asked for`);
  const owned = tasks.flatMap((groups) => [...groups]).sort((a, b) => a - b);
  expectEqual(owned, [...Array(maxParallelism).keys()], "Groups that are owned");
  const sizes = tasks.map((groups) => groups.count);
  expectThat(Math.max(...sizes) - Math.min(...sizes) <= 1, `Tasks own ${sizes.join()} groups`);
}

/** A group has to move if its task is gone, or if it is one of those that its task has too many of. */
function expectFewMoved(before: readonly KeyGroups[], after: readonly KeyGroups[], maxParallelism: number): void {
  const [was, is] = [ownersOf(before), ownersOf(after)];
  const moved = [...was].filter(([group, task]) => is.get(group) !== task).length;
  const least = Math.floor(maxParallelism / after.length);
  // So many tasks own one more than the others: those that have the most.
  const larger = maxParallelism % after.length;
  const sizes = after.map((_, task) => before[task]?.count ?? 0).sort((a, b) => b - a);
  const stay = sizes.reduce((sum, size, rank) => sum + Math.min(size, least + (rank < larger ? 1 : 0)), 0);
  expectThat(moved <= maxParallelism - stay, `${moved} groups moved where ${maxParallelism - stay} had to`);
}

function ownersOf(tasks: readonly KeyGroups[]): Map<number, number> {
  return new Map(tasks.flatMap((groups, task) => [...groups].map((group) => [group, task] as const)));
}
