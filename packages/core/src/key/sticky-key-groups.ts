/**
 * Deals key groups to another number of tasks and moves as few as it can.
 *
 * Invariants:
 * - Every group has one owner, and the numbers of groups of any two tasks differ by at most one.
 */

import { type KeyGroupRange, KeyGroups, splitKeyGroups } from "./key-groups.js";

/**
 * The groups of each of `parallelism` tasks. Task i keeps what `previous[i]` had, as far as the balance allows. From N balanced tasks
 * to N+1, at most `ceil(maxParallelism / (N+1))` groups move. Even ranges if `previous` is empty. A group that is in several of
 * `previous` stays with the first.
 * @throws {RangeError} unless 1 <= parallelism <= maxParallelism <= 32,768
 */
export function stickyKeyGroups(
  previous: readonly KeyGroups[],
  parallelism: number,
  maxParallelism: number,
): KeyGroups[] {
  const even = splitKeyGroups(maxParallelism, parallelism);
  if (previous.length === 0) return even;
  const free = new Set(KeyGroups.all(maxParallelism));
  const kept = even.map((_, task) => [...(previous[task] ?? [])].filter((group) => free.delete(group)));
  const counts = targetCounts(kept, maxParallelism);
  for (const [task, groups] of kept.entries()) {
    for (const group of groups.splice(counts[task] ?? 0)) free.add(group);
  }
  const rest = [...free].sort((a, b) => a - b);
  return kept.map((groups, task) => {
    const taken = rest.splice(0, (counts[task] ?? 0) - groups.length);
    return KeyGroups.of([...groups, ...taken].map((group): KeyGroupRange => ({ first: group, last: group })));
  });
}

/** How many groups each task is to have: those that have the most get one more, where the division leaves a remainder. */
function targetCounts(kept: readonly (readonly number[])[], maxParallelism: number): number[] {
  const least = Math.floor(maxParallelism / kept.length);
  const counts = kept.map(() => least);
  const byCount = [...kept.keys()].sort((a, b) => (kept[b]?.length ?? 0) - (kept[a]?.length ?? 0) || a - b);
  for (const task of byCount.slice(0, maxParallelism % kept.length)) counts[task] = least + 1;
  return counts;
}
