/** What the broken variants of single features have in common. */

import type { Handle, LooseTask, RunningJob } from "../commands/call-state.js";
import type { Harness } from "../harness.js";
import { type Change, methodsOf } from "./broken-jobs.js";

/** Which property must catch it. */
export type FeatureCatcher =
  | "ttl"
  | "timers"
  | "barrier"
  | "migration"
  | "merging"
  | "listener"
  | "values"
  | "maps"
  | "chains"
  | "rescaling"
  | "savepoints"
  | "any history";

export interface BrokenFeature {
  readonly what: string;
  readonly caughtBy: FeatureCatcher;
  /** What a harness does differently. */
  readonly make: () => Partial<Harness>;
}

type Wrap = (job: RunningJob) => RunningJob;

/** A job that is changed each time it is opened. */
export function wrapped(wrap: Wrap): () => Partial<Harness> {
  return () => ({ wrap });
}

/** Where a task is. */
export interface TaskPlace {
  readonly job: RunningJob;
  readonly operator: number;
  readonly index: number;
}

/** Changes each task when the job is opened. */
export function tasks(change: (task: LooseTask, place: TaskPlace) => Partial<LooseTask>): Wrap {
  return (job) => ({
    ...job,
    operators: job.operators.map((all, operator) =>
      all.map((task, index) => ({ ...task, ...change(task, { job, operator, index }) })),
    ),
  });
}

/** Changes the states with namespaces, not what is in a namespace. */
export function namespacedStates(change: Change): Wrap {
  return tasks(({ states }) => ({
    states: Object.fromEntries(
      Object.entries(states).map(([name, handle]) => [
        name,
        handle["in"] === undefined ? handle : ({ ...bound(handle), ...change(handle) } as Handle),
      ]),
    ),
  }));
}

/** The methods of a handle as functions of their own. */
export function bound(handle: Handle): Handle {
  return Object.fromEntries(methodsOf(handle).map((name) => [name, (...given: unknown[]) => handle[name]?.(...given)]));
}

/** Whether the job was restored, and with other numbers of tasks than the last one that was opened. */
export function whenRescaled(change: (job: RunningJob) => RunningJob): () => Partial<Harness> {
  return () => {
    let last = "";
    return {
      wrap(job) {
        const counts = job.operators.map((all) => all.length).join();
        const isRescaled = job.control.restoredFrom !== undefined && last !== counts;
        last = counts;
        return isRescaled ? change(job) : job;
      },
    };
  };
}

/** Wrapped as the others are, and not broken. */
export const soundFeature: Wrap = (job) =>
  tasks(({ timers }) => ({
    timers: {
      event: bound(timers.event),
      processing: bound(timers.processing),
      onFire: (handler) => timers.onFire((timer) => handler(timer)),
    },
  }))(namespacedStates(() => ({}))(job));
