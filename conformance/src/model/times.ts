/**
 * What time it is for the tasks of an operator, as the contract says: neither the clock nor a watermark goes back for them, also
 * not over restores.
 */

import { groupsOf, type Owners, taskCount } from "./key-order.js";

/** The times of one task. */
export interface TaskTimes {
  /** The highest time of the clock that was seen, milliseconds. */
  processing: number;
  /** `null` before the first. */
  watermark: number | null;
}

/** No task has seen anything. */
export function noTimes(parallelism: number): TaskTimes[] {
  return Array.from({ length: parallelism }, () => ({ processing: 0, watermark: null }));
}

/** Every task looks at the clock. */
export function lookAt(times: readonly TaskTimes[], nowMs: number): void {
  for (const each of times) each.processing = Math.max(each.processing, nowMs);
}

/** The times of tasks that take over key groups from those of `before`: the highest clock, the lowest watermark. */
export function rescaledTimes(before: readonly TaskTimes[], from: Owners, to: Owners): TaskTimes[] {
  return noTimes(taskCount(to)).map((_, task) => {
    const own = groupsOf(to, task);
    const sources = before.filter((__, index) => own.some((group) => from[group] === index));
    const marks = sources.map(({ watermark }) => watermark);
    const known = marks.filter((mark) => mark !== null);
    return {
      processing: Math.max(0, ...sources.map(({ processing }) => processing)),
      watermark: known.length === 0 || known.length < marks.length ? null : Math.min(...known),
    };
  });
}
