/** Values that expire, each broken in one way. */

import type { Handle } from "../commands/call-state.js";
import { memoryPlace } from "../harness.js";
import type { StateSpec, TtlSpec } from "../model/catalog.js";
import { type BrokenFeature, wrapped } from "./broken-feature.js";
import { type Change, has, isFolding, isList, isMap, isValue, states } from "./broken-jobs.js";
import { brokenPlace, type BrokenStorage, manifests } from "./broken-storages.js";

/** Declares another time to live than was asked for. */
function declared(change: (ttl: TtlSpec, spec: StateSpec) => TtlSpec | undefined): BrokenFeature["make"] {
  return () => ({
    declaredAs(spec) {
      const { ttl, ...others } = spec;
      const changed = ttl === undefined ? undefined : change(ttl, spec);
      return changed === undefined ? others : { ...others, ttl: changed };
    },
  });
}

function stored(make: BrokenStorage["make"]): BrokenFeature["make"] {
  const broken: BrokenStorage = { what: "", caughtBy: "any history", make };
  return () => ({ place: () => brokenPlace(memoryPlace(), broken) });
}

/** What is at a key is written again when the job is restored. */
const writtenAgain: BrokenFeature["make"] = () => ({
  wrap(job) {
    if (job.control.restoredFrom === undefined) return job;
    for (const { states: all } of job.operators.flat()) {
      for (const handle of Object.values(all)) if (has("keysSync")(handle)) writeAgain(handle);
    }
    return job;
  },
});

function writeAgain(handle: Handle): void {
  for (const key of handle["keysSync"]?.() as Iterable<unknown>) {
    if (isMap(handle)) handle["setAll"]?.(key, handle["entriesSync"]?.(key));
    else handle["set"]?.(key, handle["getSync"]?.(key));
  }
}

/** Remembers what was written last, by key. */
function remembering(change: (handle: Handle, known: Map<unknown, unknown>) => ReturnType<Change>): Change {
  return (handle) => {
    const known = new Map<unknown, unknown>();
    return {
      delete(key, field) {
        handle["delete"]?.(key, field);
        known.delete(key);
      },
      ...change(handle, known),
    };
  };
}

export const BROKEN_EXPIRY: readonly BrokenFeature[] = [
  { what: "values live too long", caughtBy: "ttl", make: declared((ttl) => ({ ...ttl, ms: ttl.ms + 1 })) },
  { what: "values live too short", caughtBy: "ttl", make: declared((ttl) => ({ ...ttl, ms: ttl.ms - 1 })) },
  {
    what: "reads renew where only writes are to",
    caughtBy: "ttl",
    make: declared((ttl) => ({ ...ttl, update: "on-read-and-write" })),
  },
  {
    what: "reads renew nothing",
    caughtBy: "ttl",
    make: declared((ttl) => ({ ...ttl, update: "on-create-and-write" })),
  },
  {
    what: "what has expired is given once more",
    caughtBy: "ttl",
    make: declared((ttl) => ({ ...ttl, visibility: "return-expired-if-not-cleaned-up" })),
  },
  {
    what: "event time is taken for that of the clock",
    caughtBy: "ttl",
    make: declared((ttl) => ({ ...ttl, time: "processing" })),
  },
  {
    what: "elements of lists live for ever",
    caughtBy: "ttl",
    make: declared((ttl, { kind }) => (kind === "list" ? undefined : ttl)),
  },
  { what: "expiry begins anew at a restore", caughtBy: "ttl", make: writtenAgain },
  {
    what: "a checkpoint forgets how late it was: a clock that is set back brings values back",
    caughtBy: "ttl",
    make: stored(
      manifests(({ operators }) => {
        for (const { time } of operators.flatMap(({ tasks }) => tasks)) if (time !== undefined) time.processing = 0;
      }),
    ),
  },
  {
    what: "whoever takes over from several tasks has their highest watermark",
    caughtBy: "ttl",
    make: stored(
      manifests(({ operators }) => {
        for (const { tasks } of operators) {
          const marks = tasks.map(({ time }) => time?.watermark ?? Number.NEGATIVE_INFINITY);
          const highest = Math.max(...marks);
          for (const { time } of tasks) if (time !== undefined && Number.isFinite(highest)) time.watermark = highest;
        }
      }),
    ),
  },
  {
    what: "an element that expires takes the others along",
    caughtBy: "ttl",
    make: wrapped(
      states(
        isList,
        remembering((handle, known) => ({
          set(key, given) {
            handle["set"]?.(key, given);
            known.set(key, (given as unknown[]).length);
          },
          add(key, element) {
            handle["add"]?.(key, element);
            known.set(key, ((known.get(key) as number | undefined) ?? 0) + 1);
          },
          getSync(key) {
            const found = handle["getSync"]?.(key) as unknown[];
            if (found.length >= ((known.get(key) as number | undefined) ?? 0)) return found;
            handle["delete"]?.(key);
            known.delete(key);
            return [];
          },
        })),
      ),
    ),
  },
  {
    what: "what is added to an expired value is added to it",
    caughtBy: "ttl",
    make: wrapped(
      states(
        isFolding,
        remembering((handle, known) => ({
          addSync(key, input) {
            const before = known.get(key);
            if (before !== undefined && handle["getSync"]?.(key) === undefined) handle["addSync"]?.(key, before);
            handle["addSync"]?.(key, input);
            known.set(key, input);
          },
        })),
      ),
    ),
  },
  {
    what: "keys show what has expired",
    caughtBy: "ttl",
    make: wrapped(
      states(
        (handle) => isValue(handle) && has("keysSync")(handle),
        remembering((handle, known) => {
          const keys = (): unknown[] => {
            const found = [...(handle["keysSync"]?.() as unknown[])];
            return [...found, ...[...known.keys()].filter((key) => handle["getSync"]?.(key) === undefined)];
          };
          return {
            keys,
            keysSync: keys,
            set(key, given) {
              handle["set"]?.(key, given);
              known.set(key, given);
            },
          };
        }),
      ),
    ),
  },
  {
    what: "a map is not empty while a field was there",
    caughtBy: "ttl",
    make: wrapped(
      states(
        isMap,
        remembering((handle, known) => ({
          set(key, field, given) {
            handle["set"]?.(key, field, given);
            known.set(key, field);
          },
          clear(key) {
            handle["clear"]?.(key);
            known.delete(key);
          },
          isEmptySync: (key) => !known.has(key) && handle["isEmptySync"]?.(key),
        })),
      ),
    ),
  },
];
