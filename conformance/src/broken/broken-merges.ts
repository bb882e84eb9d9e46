/** Merged namespaces, former codecs, and maps that are gone over while they change, each broken in one way. */

import { evolved, former } from "@tidemark/core";
import type { Handle } from "../commands/call-state.js";
import { bareCodec, codecOf, type CodecOf } from "../commands/formats.js";
import { migrated } from "../model/migrations.js";
import { type BrokenFeature, namespacedStates, wrapped } from "./broken-feature.js";
import { type Change, has, isMap, isValue, states } from "./broken-jobs.js";

/** Merges differently, in both forms. */
function merges(
  merge: (handle: Handle, call: { key: unknown; target: unknown; sources: readonly unknown[] }) => void,
): BrokenFeature["make"] {
  return wrapped(
    namespacedStates((handle) => {
      if (handle["mergeNamespacesSync"] === undefined) return {};
      const mergeNamespacesSync = (key: unknown, target: unknown, sources: unknown): void =>
        merge(handle, { key, target, sources: [...(sources as unknown[])] });
      return {
        mergeNamespacesSync,
        async mergeNamespaces(key, target, sources) {
          mergeNamespacesSync(key, target, sources);
          await Promise.resolve();
        },
      };
    }),
  );
}

const inside = (handle: Handle, namespace: unknown): Handle => handle["in"]?.(namespace) as Handle;

export const BROKEN_MERGES: readonly BrokenFeature[] = [
  {
    what: "merging loses the last source",
    caughtBy: "merging",
    make: merges((handle, { key, target, sources }) => {
      const lost = sources.at(-1);
      if (sources.length > 1 && lost !== target) inside(handle, lost)["delete"]?.(key);
      handle["mergeNamespacesSync"]?.(key, target, sources);
    }),
  },
  {
    what: "merging keeps what was in the sources",
    caughtBy: "merging",
    make: merges((handle, { key, target, sources }) => {
      const [source] = sources;
      const before = inside(handle, source)["getSync"]?.(key);
      handle["mergeNamespacesSync"]?.(key, target, sources);
      if (source !== target && Array.isArray(before)) inside(handle, source)["set"]?.(key, before);
    }),
  },
  {
    what: "merging takes the sources in reverse order",
    caughtBy: "merging",
    make: merges((handle, { key, target, sources }) =>
      handle["mergeNamespacesSync"]?.(key, target, [...sources].reverse()),
    ),
  },
  {
    what: "a source that is given twice counts twice",
    caughtBy: "merging",
    make: merges((handle, { key, target, sources }) => {
      const twice = sources.find((source, at) => sources.indexOf(source) < at && source !== target);
      const before = twice === undefined ? undefined : inside(handle, twice)["getSync"]?.(key);
      handle["mergeNamespacesSync"]?.(key, target, sources);
      if (Array.isArray(before)) inside(handle, target)["addAll"]?.(key, before);
    }),
  },
  {
    what: "a target that is its own source is emptied",
    caughtBy: "merging",
    make: merges((handle, { key, target, sources }) => {
      handle["mergeNamespacesSync"]?.(key, target, sources);
      if (sources.includes(target)) inside(handle, target)["delete"]?.(key);
    }),
  },
];

function codecs(codec: CodecOf): BrokenFeature["make"] {
  return () => ({ codecOf: (kind, format) => (format === 0 ? codecOf(kind, 0) : codec(kind, format)) });
}

export const BROKEN_MIGRATIONS: readonly BrokenFeature[] = [
  {
    what: "a value is migrated twice",
    caughtBy: "migration",
    make: codecs((kind, format) =>
      evolved(
        bareCodec(format),
        former(codecOf(kind, format - 1), (old) => migrated(kind, migrated(kind, old, format), format)),
      ),
    ),
  },
  {
    what: "a step is left out",
    caughtBy: "migration",
    make: codecs((kind, format) => {
      const last = former(codecOf(kind, 0), (old) => migrated(kind, old, format));
      if (format === 1) return evolved(bareCodec(1), last);
      return evolved(
        bareCodec(2),
        last,
        former(bareCodec(1), (old) => migrated(kind, old, 2)),
      );
    }),
  },
  {
    what: "what the new codec wrote is read by the old one",
    caughtBy: "migration",
    make: codecs((kind, format) => ({ ...codecOf(kind, format), read: (input) => codecOf(kind, 0).read(input) })),
  },
  {
    what: "what the new codec writes is in the old format",
    caughtBy: "migration",
    make: codecs((kind, format) => ({
      ...codecOf(kind, format),
      write: (given, out) => bareCodec(format - 1 || 2).write(given, out),
    })),
  },
  {
    what: "null is not migrated",
    caughtBy: "migration",
    make: codecs((kind, format) =>
      evolved(
        bareCodec(format),
        former(codecOf(kind, format - 1), (old) => (old === null ? null : migrated(kind, old, format))),
      ),
    ),
  },
];

/** What both forms of an iteration give. */
function iterates(name: string, iterate: (handle: Handle, key: unknown) => Iterable<unknown>): Change {
  return (handle) => ({
    [`${name}Sync`]: (key) => iterate(handle, key),
    [name]: (key) => iterate(handle, key),
  });
}

/** The fields that are there whenever the next one is asked for. */
function* asTheyAre(handle: Handle, key: unknown): Generator<unknown> {
  const given = new Set<unknown>();
  while (true) {
    const entries = handle["entriesSync"]?.(key) as (readonly [unknown, unknown])[];
    const next = entries.find(([field]) => !given.has(field));
    if (next === undefined) return;
    given.add(next[0]);
    yield next;
  }
}

/** Counts on: of what moves up, one is passed over. */
function* byIndex(handle: Handle): Generator<unknown> {
  for (let at = 0; ; at++) {
    const keys = [...(handle["keysSync"]?.() as Iterable<unknown>)];
    if (at >= keys.length) return;
    yield keys[at];
  }
}

export const BROKEN_MAPS: readonly BrokenFeature[] = [
  {
    what: "entries show what was set and deleted meanwhile",
    caughtBy: "maps",
    make: wrapped(states(isMap, iterates("entries", asTheyAre))),
  },
  {
    what: "of equal fields the first counts",
    caughtBy: "maps",
    make: wrapped(
      states(isMap, (handle) => ({
        setAll: (key, entries) => handle["setAll"]?.(key, [...(entries as unknown[])].reverse()),
      })),
    ),
  },
  {
    what: "setting all replaces what was there",
    caughtBy: "maps",
    make: wrapped(
      states(isMap, (handle) => ({
        setAll(key, entries) {
          handle["clear"]?.(key);
          handle["setAll"]?.(key, entries);
        },
      })),
    ),
  },
  {
    what: "keys pass over one when one is deleted",
    caughtBy: "values",
    make: wrapped(states((handle) => isValue(handle) && has("keysSync")(handle), iterates("keys", byIndex))),
  },
];
