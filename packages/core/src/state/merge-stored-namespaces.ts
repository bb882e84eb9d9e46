/**
 * Merges what a key has in several namespaces, where it has to be waited for.
 *
 * Invariants:
 * - Nothing is written before everything is in memory; then everything is written in one step: what others write meanwhile is merged
 *   as well.
 */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec, KeyCodec } from "../contracts/codec.js";
import { StateBackendError } from "../errors.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { MaybePromise } from "../stored/maybe-promise.js";
import type { Epoch } from "../table/epoch.js";
import type { NamespaceMerging } from "./handles.js";
import type { StoredListRows } from "./stored-list-rows.js";
import type { StoredValueRows } from "./stored-value-rows.js";

const TRIES_MAX = 100;

/** What merging means for one kind of state. The sources are distinct, and the target is none of them. */
export interface StoredMerger {
  /** @throws {TypeError} if the state was declared without what merging needs */
  check(): void;
  /** What the key has in a namespace. */
  peek(key: unknown, namespace: BinaryKey): MaybePromise<unknown>;
  merge(key: unknown, into: MergeTarget, sources: readonly BinaryKey[]): void;
}

/** A target with what the key has there, and what it has in the sources. */
export interface MergeTarget {
  readonly target: BinaryKey;
  readonly before: unknown;
  readonly found: readonly unknown[];
}

export function storedMergerOfLists(rows: StoredListRows): StoredMerger {
  return {
    check: () => undefined,
    peek: (key, namespace) => rows.peek(key, namespace),
    merge: (key, { target, found }, sources) => {
      rows.append(
        key,
        target,
        found.flatMap((elements) => elements as readonly unknown[]),
      );
      for (const source of sources) rows.replace(key, source, []);
    },
  };
}

export function storedMergerOfValues(
  rows: StoredValueRows,
  codec: Codec<unknown>,
  combine: ((left: unknown, right: unknown) => unknown) | undefined,
): StoredMerger {
  const requireCombine = (): ((left: unknown, right: unknown) => unknown) => {
    if (combine !== undefined) return combine;
    throw new TypeError(
      "The namespaces of an aggregating state cannot be merged. merge=undefined expected=function. Declare the aggregate with merge(a, b).",
    );
  };
  return {
    check: () => void requireCombine(),
    peek: (key, namespace) => rows.peek(key, namespace),
    merge: (key, { target, before, found }, sources) => {
      const present = found.filter((value) => value !== undefined);
      if (present.length === 0) return;
      const merged = present.reduce(
        (left, right) => (left === undefined ? right : codec.own(requireCombine()(left, right))),
        before,
      );
      // What cannot be encoded would be found only at the checkpoint, when the sources are gone.
      codec.write(merged, new ByteWriter());
      rows.put(key, target, merged);
      for (const [i, source] of sources.entries()) if (found[i] !== undefined) rows.remove(key, source);
    },
  };
}

/** The call of a state with namespaces that merges. */
export function storedNamespaceMerging(
  merger: StoredMerger,
  epoch: Epoch,
  namespace: KeyCodec<unknown>,
): NamespaceMerging<unknown, unknown> {
  return {
    mergeNamespaces: async (key, target, given) => {
      epoch.check();
      merger.check();
      const into = namespace.encode(target);
      const distinct = new Set(Array.from(given, (source) => namespace.encode(source)));
      distinct.delete(into);
      const sources = [...distinct];
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const found = [into, ...sources].map((each) => merger.peek(key, each));
        if (found.some((each) => each instanceof Promise)) {
          await Promise.all(found);
          epoch.check();
          continue;
        }
        const [before, ...rest] = found;
        merger.merge(key, { target: into, before, found: rest }, sources);
        return;
      }
      throw new StateBackendError(
        "LIMIT_EXCEEDED",
        `What is to be merged does not stay in memory together. namespaces=${sources.length + 1}. Give the backend more memory.`,
      );
    },
  };
}
