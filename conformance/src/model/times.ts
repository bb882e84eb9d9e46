/**
 * What time it is for the tasks of an operator, as the contract says: neither the clock nor a watermark goes back for them, also
 * not over restores.
 */

/** The times of one task. */
export interface TaskTimes {
  /** The highest time of the clock that was seen, milliseconds. */
  processing: number;
  /** `null` before the first. */
  watermark: number | null;
}

/** Which key groups a task owns, of all that share them evenly. */
interface Share {
  readonly task: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** No task has seen anything. */
export function noTimes(parallelism: number): TaskTimes[] {
  return Array.from({ length: parallelism }, () => ({ processing: 0, watermark: null }));
}

/** Every task looks at the clock. */
export function lookAt(times: readonly TaskTimes[], nowMs: number): void {
  for (const each of times) each.processing = Math.max(each.processing, nowMs);
}

/** The times of `parallelism` tasks that take over from those of `before`: the highest clock, the lowest watermark. */
export function rescaledTimes(before: readonly TaskTimes[], parallelism: number, maxParallelism: number): TaskTimes[] {
  return noTimes(parallelism).map((_, task) => {
    const own = groupsOf({ task, parallelism, maxParallelism });
    const sources = before.filter((__, index) => {
      const theirs = groupsOf({ task: index, parallelism: before.length, maxParallelism });
      return theirs.some((group) => own.includes(group));
    });
    const marks = sources.map(({ watermark }) => watermark);
    const known = marks.filter((mark) => mark !== null);
    return {
      processing: Math.max(0, ...sources.map(({ processing }) => processing)),
      watermark: known.length === 0 || known.length < marks.length ? null : Math.min(...known),
    };
  });
}

function groupsOf({ task, parallelism, maxParallelism }: Share): number[] {
  const bound = (index: number): number => Math.ceil((index * maxParallelism) / parallelism);
  return Array.from({ length: bound(task + 1) - bound(task) }, (_, offset) => bound(task) + offset);
}
