/**
 * Merges what a key has in several namespaces into one of them.
 *
 * Invariants:
 * - Everything that can be refused is refused before the first write: namespaces are encoded, the function of the state is
 *   called and what it gives is owned and encoded beforehand.
 * - Merging is a write: of values that expire, expired ones are left out and the others are stamped anew.
 */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec, KeyCodec } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Epoch } from "../table/epoch.js";
import type { SyncNamespaceMerging } from "./handles.js";
import type { ListRows, ValueRows } from "./rows.js";

/** What merging means for one kind of state. The sources are distinct, and the target is none of them. */
export interface NamespaceMerger {
  /** @throws {TypeError} if the state was declared without what merging needs */
  check(): void;
  merge(key: unknown, target: BinaryKey, sources: readonly BinaryKey[]): void;
}

/** The elements of the target, then those of the sources in their order. */
export function mergerOfLists(rows: ListRows): NamespaceMerger {
  return {
    check: () => undefined,
    merge: (key, target, sources) => {
      // Reads the target only to refuse a key that the task does not own, also where there is nothing to merge.
      rows.peek(key, target);
      const moved = sources.flatMap((source) => rows.peek(key, source));
      rows.append(key, target, moved);
      for (const source of sources) rows.replace(key, source, []);
    },
  };
}

/** Combines accumulators from left to right: the target's, then those of the sources in their order. */
export function mergerOfValues(
  rows: ValueRows,
  codec: Codec<unknown>,
  combine: ((left: unknown, right: unknown) => unknown) | undefined,
): NamespaceMerger {
  const requireCombine = (): ((left: unknown, right: unknown) => unknown) => {
    if (combine !== undefined) return combine;
    throw new TypeError(
      "The namespaces of an aggregating state cannot be merged. merge=undefined expected=function. Declare the aggregate with merge(a, b).",
    );
  };
  return {
    check: () => void requireCombine(),
    merge: (key, target, sources) => {
      const before = rows.peek(key, target);
      const found = sources.filter((source) => rows.peek(key, source) !== undefined);
      if (found.length === 0) return;
      const merged = found
        .map((source) => rows.peek(key, source))
        .reduce((left, right) => (left === undefined ? right : codec.own(requireCombine()(left, right))), before);
      // What cannot be encoded would be found only at the checkpoint, when the sources are gone.
      codec.write(merged, new ByteWriter());
      rows.put(key, target, merged);
      for (const source of found) rows.remove(key, source);
    },
  };
}

/** The calls of a state with namespaces that merge. */
export function namespaceMerging(
  merger: NamespaceMerger,
  epoch: Epoch,
  namespace: KeyCodec<unknown>,
): SyncNamespaceMerging<unknown, unknown> {
  const mergeNamespacesSync = (key: unknown, target: unknown, sources: Iterable<unknown>): void => {
    epoch.check();
    merger.check();
    const into = namespace.encode(target);
    const distinct = new Set(Array.from(sources, (source) => namespace.encode(source)));
    distinct.delete(into);
    merger.merge(key, into, [...distinct]);
  };
  return {
    mergeNamespacesSync,
    mergeNamespaces: async (key, target, sources) => {
      mergeNamespacesSync(key, target, sources);
    },
  };
}
