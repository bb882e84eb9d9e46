/** Jobs that break the contract, each in one way. Every one is caught by any history. */

import { hasCode, type JobControl } from "@tidemark/core";
import type { Handle, LooseTask, RunningJob } from "../commands/call-state.js";

export interface BrokenJob {
  readonly what: string;
  readonly wrap: (job: RunningJob) => RunningJob;
}

/** What a handle does differently; `handle` is the sound one. */
export type Change = (handle: Handle) => Partial<Record<string, (...given: readonly unknown[]) => unknown>>;

/** Changes all handles that `isMeant` chooses, also those in a namespace. */
export function states(isMeant: (handle: Handle) => boolean, change: Change): BrokenJob["wrap"] {
  const changed = (handle: Handle): Handle => {
    const bound = Object.fromEntries(
      methodsOf(handle).map((name) => [name, (...given: unknown[]) => handle[name]?.(...given)]),
    );
    if (handle["in"] !== undefined) {
      return { ...bound, in: (namespace) => changed(handle["in"]?.(namespace) as Handle) };
    }
    return isMeant(handle) ? ({ ...bound, ...change(handle) } as Handle) : handle;
  };
  const task = ({ states: sound, ...others }: LooseTask): LooseTask => ({
    ...others,
    states: Object.fromEntries(Object.entries(sound).map(([name, handle]) => [name, changed(handle)])),
  });
  return ({ operators, ...others }) => ({ ...others, operators: operators.map((tasks) => tasks.map(task)) });
}

export function methodsOf(handle: Handle): string[] {
  const own = Object.getOwnPropertyNames(handle);
  const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(handle) as object);
  return [...own, ...inherited].filter((name) => name !== "constructor" && typeof handle[name] === "function");
}

export const has =
  (...methods: string[]) =>
  (handle: Handle): boolean =>
    methods.every((method) => typeof handle[method] === "function");

export const isValue = has("update");
export const isList = has("addAll");
export const isMap = has("entriesSync");
export const isFolding = has("addSync");

export function control(change: (sound: JobControl) => Partial<JobControl>): BrokenJob["wrap"] {
  return ({ control: sound, ...others }) => {
    const copy = Object.create(sound) as JobControl;
    return { ...others, control: Object.defineProperties(copy, Object.getOwnPropertyDescriptors(change(sound))) };
  };
}

/** Wrapped as the others are, and not broken. */
export const soundJob: BrokenJob = {
  what: "nothing",
  wrap: (job) =>
    control(() => ({}))(
      states(
        () => true,
        () => ({}),
      )(job),
    ),
};

export const BROKEN_JOBS: readonly BrokenJob[] = [
  {
    what: "the barrier comes a turn late",
    wrap: control((sound) => ({
      async checkpoint(options) {
        // Long enough for a write that follows the call.
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        return sound.checkpoint(options);
      },
    })),
  },
  { what: "deleting a value does nothing", wrap: states(isValue, () => ({ delete: () => undefined })) },
  {
    what: "clearing a map leaves a field",
    wrap: states(isMap, (handle) => ({
      clear(key) {
        const fields = [...(handle["entriesSync"]?.(key) as [unknown, unknown][])];
        for (const [field] of fields.slice(1)) handle["delete"]?.(key, field);
      },
    })),
  },
  {
    what: "deleting a field deletes all",
    wrap: states(isMap, (handle) => ({ delete: (key) => handle["clear"]?.(key) })),
  },
  {
    what: "keys come in reverse order",
    wrap: states(has("keysSync"), (handle) => ({
      keysSync: () => [...(handle["keysSync"]?.() as unknown[])].reverse(),
    })),
  },
  {
    what: "an element is added in front",
    wrap: states(isList, (handle) => ({
      add: (key, element) => handle["set"]?.(key, [element, ...(handle["getSync"]?.(key) as unknown[])]),
    })),
  },
  {
    what: "an empty list is not absent",
    wrap: states(isList, (handle) => ({
      set: (key, elements) => handle["set"]?.(key, (elements as unknown[]).length === 0 ? [null] : elements),
    })),
  },
  {
    what: "null is taken for absent",
    wrap: states(isValue, (handle) => ({
      set: (key, given) => (given === null ? handle["delete"]?.(key) : handle["set"]?.(key, given)),
    })),
  },
  { what: "what is added first is lost", wrap: states(isFolding, (handle) => ({ addSync: addLater(handle) })) },
  {
    what: "an update reads before its turn",
    wrap: states(isValue, (handle) => ({
      async update(key, change) {
        const before = handle["getSync"]?.(key);
        await Promise.resolve();
        const next = (change as (current: unknown) => unknown)(before);
        handle[next === undefined ? "delete" : "set"]?.(key, next);
      },
    })),
  },
  { what: "a value is kept by reference", wrap: (job) => states(isValue, keptByReference(new Map()))(job) },
  {
    what: "a value that cannot be stored becomes null",
    wrap: states(isValue, (handle) => ({ set: orNull(handle) })),
  },
  {
    what: "a fenced owner believes in its checkpoints",
    wrap: control((sound) => ({
      async checkpoint(options) {
        try {
          return await sound.checkpoint(options);
        } catch (error) {
          const last = sound.checkpoints.at(-1);
          if (!hasCode(error, "FENCED") || last === undefined) throw error;
          return last;
        }
      },
    })),
  },
  {
    what: "a subsumed checkpoint is said to be retained",
    wrap: control((sound) => ({
      get retained() {
        const [first, ...others] = sound.retained;
        return first === undefined ? [] : [first - 1, first, ...others].filter((id) => id > 0);
      },
    })),
  },
  {
    what: "a failed checkpoint is said to be complete",
    wrap: control((sound) => ({
      async checkpoint(options) {
        try {
          return await sound.checkpoint(options);
        } catch (error) {
          const last = sound.checkpoints.at(-1);
          if (!hasCode(error, "UNAVAILABLE") || last === undefined) throw error;
          return { ...last, status: "completed" };
        }
      },
    })),
  },
];

function addLater(handle: Handle): (...given: readonly unknown[]) => void {
  const isKnown = (key: unknown): boolean => handle["getSync"]?.(key) !== undefined;
  return (key, added) => {
    if (isKnown(key)) handle["addSync"]?.(key, added);
    else handle["delete"]?.(key);
  };
}

function keptByReference(given: Map<unknown, unknown>): Change {
  return (handle) => ({
    set(key, value) {
      handle["set"]?.(key, value);
      given.set(key, value);
    },
    getSync: (key) =>
      handle["getSync"]?.(key) === undefined ? undefined : (given.get(key) ?? handle["getSync"]?.(key)),
  });
}

function orNull(handle: Handle): (...given: readonly unknown[]) => void {
  return (key, value) => {
    try {
      handle["set"]?.(key, value);
    } catch (error) {
      if (!hasCode(error, "VALUE_INVALID")) throw error;
      handle["set"]?.(key, null);
    }
  };
}
