/** Stores that reach beyond their scope. */

import { type BinaryKey, type Change, KeyGroups } from "@tidemark/core";
import { type BrokenStore, changed } from "./broken-store.js";

export const REACHING_STORES: readonly BrokenStore[] = [
  {
    what: "drops what other tasks of the operator have",
    clause: "S11",
    change: (inner) => ({ drop: (groups) => inner.drop(KeyGroups.of([...groups.ranges, { first: 4, last: 7 }])) }),
  },
  {
    what: "clears what other tasks of the operator have",
    clause: "S11",
    change: (inner) => ({
      apply: (mark, changes) =>
        inner.apply(
          mark,
          changed(changes, (chunk) =>
            chunk.flatMap((each) =>
              each.kind === "clear" && each.prefix.length === 2 ? [each, clearOf(each.prefix, 4)] : [each],
            ),
          ),
        ),
    }),
  },
];

/** A clear of the key group that is so many further on. */
function clearOf(prefix: BinaryKey, further: number): Change {
  const group = prefix.charCodeAt(1) + further;
  return { kind: "clear", prefix: `${prefix[0]}${String.fromCharCode(group)}` as BinaryKey };
}
