/** Checkpoints, listeners, operator state under other numbers of tasks, and the dealing of key groups, each broken in one way. */

import { type JobControl, KeyGroups, splitKeyGroups } from "@tidemark/core";
import { call, type Handle, type LooseTask, type RunningJob } from "../commands/call-state.js";
import { CATALOG, type StateKind } from "../model/catalog.js";
import type { Assign } from "../properties/sticky-groups.js";
import { type BrokenFeature, whenRescaled, wrapped } from "./broken-feature.js";
import { control, isValue, states } from "./broken-jobs.js";

/** Keys that were set since the last barrier are lost with a checkpoint that fails: the next restore shows it. */
const losesFrozen: BrokenFeature["make"] = () => {
  let written: [name: string, key: unknown][] = [];
  let lost: [name: string, key: unknown][] = [];
  const noted = (job: RunningJob): RunningJob => {
    const named = job.operators[0]?.flatMap(({ states: all }) => Object.entries(all)) ?? [];
    const nameOf = (handle: Handle): string => named.find(([, other]) => other === handle)?.[0] ?? "";
    return states(isValue, (handle) => ({
      set(key, given) {
        handle["set"]?.(key, given);
        written.push([nameOf(handle), key]);
      },
    }))(job);
  };
  const failing = control((sound) => ({
    async checkpoint(options) {
      const frozen = written;
      written = [];
      try {
        return await sound.checkpoint(options);
      } catch (error) {
        lost.push(...frozen);
        throw error;
      }
    },
  }));
  return {
    wrap(job) {
      if (job.control.restoredFrom !== undefined) for (const each of lost) deleteEverywhere(job, ...each);
      written = [];
      lost = [];
      return failing(noted(job));
    },
  };
};

function deleteEverywhere({ operators }: RunningJob, name: string, key: unknown): void {
  const tasks = (operators[0] ?? []).filter(({ states: all }) => all[name]?.["in"] === undefined && name in all);
  for (const { states: all } of tasks) {
    try {
      all[name]?.["delete"]?.(key);
    } catch {
      // Another task owns the key.
    }
  }
}

function operatorStates(kind: StateKind, { states: all }: LooseTask): Handle[] {
  const names = CATALOG.filter((spec) => spec.kind === kind && Object.hasOwn(all, spec.name));
  return names.map(({ name }) => all[name] as Handle);
}

/** When the number of tasks has changed, operator state of a kind is other than it should be. */
function dealt(kind: StateKind, change: (handles: readonly Handle[]) => void): BrokenFeature["make"] {
  return whenRescaled((job) => {
    for (const tasks of job.operators) change(tasks.flatMap((task) => operatorStates(kind, task)));
    return job;
  });
}

const elements = (handle: Handle): unknown[] => [...(call(handle, "get") as unknown[])];

/** What the listener has heard, as a broken job tells it. */
function tells(change: (heard: readonly string[], control: JobControl) => string[]): BrokenFeature["make"] {
  return wrapped(({ heard, ...others }) => ({
    ...others,
    get heard() {
      return change(heard, others.control);
    },
  }));
}

export const BROKEN_CHECKPOINTS: readonly BrokenFeature[] = [
  { what: "what was frozen is lost with a checkpoint that fails", caughtBy: "chains", make: losesFrozen },
  {
    what: "the barrier of a savepoint comes late",
    caughtBy: "any history",
    make: wrapped(
      control((sound) => ({
        async savepoint(target) {
          for (let turn = 0; turn < 50; turn++) await Promise.resolve();
          return sound.savepoint(target);
        },
      })),
    ),
  },
  {
    what: "a union list is dealt out like a split list",
    caughtBy: "rescaling",
    make: dealt("union-list", (handles) => {
      for (const [index, handle] of handles.entries()) {
        call(
          handle,
          "set",
          elements(handle).filter((_, at) => at % handles.length === index),
        );
      }
    }),
  },
  {
    what: "each task gets the whole of a split list",
    caughtBy: "rescaling",
    make: dealt("split-list", (handles) => {
      const all = handles.flatMap(elements);
      for (const handle of handles) call(handle, "set", all);
    }),
  },
  {
    what: "a split list is dealt out in reverse",
    caughtBy: "rescaling",
    make: dealt("split-list", (handles) => {
      for (const handle of handles) call(handle, "set", elements(handle).reverse());
    }),
  },
  {
    what: "broadcast state goes to the first task only",
    caughtBy: "rescaling",
    make: dealt("broadcast", (handles) => {
      for (const handle of handles.slice(1)) call(handle, "clear");
    }),
  },
];

export const BROKEN_LISTENERS: readonly BrokenFeature[] = [
  {
    what: "a checkpoint is told before it is there",
    caughtBy: "listener",
    make: wrapped((job) => {
      let isUnderWay = false;
      const early = control((sound) => ({
        async checkpoint(options) {
          isUnderWay = true;
          try {
            return await sound.checkpoint(options);
          } finally {
            isUnderWay = false;
          }
        },
      }))(job);
      return {
        ...early,
        get heard() {
          return isUnderWay ? [...job.heard, "completed 1"] : job.heard;
        },
      };
    }),
  },
  {
    what: "a checkpoint that was given up is not told",
    caughtBy: "listener",
    make: tells((heard) => heard.filter((each) => !each.startsWith("aborted"))),
  },
  {
    what: "a checkpoint that was given up is told as completed",
    caughtBy: "listener",
    make: tells((heard) => heard.map((each) => each.replace("aborted", "completed"))),
  },
  {
    what: "what is subsumed is told before what subsumes it",
    caughtBy: "listener",
    make: tells((heard) =>
      heard.flatMap((each, at) => {
        if (each.startsWith("subsumed")) return [heard[at - 1] ?? "", each].reverse();
        return heard[at + 1]?.startsWith("subsumed") === true ? [] : [each];
      }),
    ),
  },
  {
    what: "savepoints are told",
    caughtBy: "listener",
    make: tells((heard, { checkpoints }) => [
      ...heard,
      ...checkpoints.filter(({ kind }) => kind === "savepoint").map(({ id }) => `completed ${id}`),
    ]),
  },
  {
    what: "a savepoint counts as the last checkpoint",
    caughtBy: "listener",
    make: wrapped(
      control((sound) => ({
        get lastCompleted() {
          const { id, endedAt } = sound.checkpoints.findLast(({ status }) => status === "completed") ?? {};
          return id === undefined || endedAt === undefined ? undefined : { id, endedAt, ageMs: 0 };
        },
      })),
    ),
  },
];

export interface BrokenAssignment {
  readonly what: string;
  readonly make: (sound: Assign) => Assign;
}

const single = (group: number): KeyGroups => KeyGroups.of([{ first: group, last: group }]);

const joined = (...parts: readonly KeyGroups[]): KeyGroups => KeyGroups.of(parts.flatMap(({ ranges }) => [...ranges]));

export const BROKEN_ASSIGNMENTS: readonly BrokenAssignment[] = [
  {
    what: "groups are dealt out without regard to who had them",
    make: () => (_, parallelism, maxParallelism) => splitKeyGroups(maxParallelism, parallelism),
  },
  {
    what: "tasks are numbered anew",
    make: (sound) => (previous, parallelism, maxParallelism) => {
      const [first, ...others] = sound(previous, parallelism, maxParallelism);
      return previous.length === 0 || first === undefined ? sound([], parallelism, maxParallelism) : [...others, first];
    },
  },
  {
    what: "the last group has no owner",
    make: (sound) => (previous, parallelism, maxParallelism) =>
      sound(previous, parallelism, maxParallelism).map((groups) =>
        joined(...[...groups].filter((group) => group < maxParallelism - 1).map(single)),
      ),
  },
  {
    what: "the first group has two owners",
    make: (sound) => (previous, parallelism, maxParallelism) =>
      sound(previous, parallelism, maxParallelism).map((groups) => joined(groups, single(0))),
  },
  {
    what: "a task keeps all that it has",
    make: (sound) => (previous, parallelism, maxParallelism) => {
      const [first] = previous;
      const next = sound(previous, parallelism, maxParallelism);
      if (first === undefined) return next;
      return next.map((groups, task) =>
        task === 0 ? joined(groups, first) : joined(...[...groups].filter((group) => !first.has(group)).map(single)),
      );
    },
  },
];
