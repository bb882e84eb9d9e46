/** What broken stores have in common. */

import type { Change, Delta, Store } from "@tidemark/core";
import { memoryStoreHarness } from "./memory-harness.js";
import type { StoreHarness } from "./store-harness.js";

export interface BrokenStore {
  readonly what: string;
  /** The clause whose laws must catch it. */
  readonly clause: string;
  /** Whether nothing that is asked of it comes out wrong: only who watches for rejections that nobody handles notices. */
  readonly isSilent?: boolean;
  /** What a handle does differently. */
  readonly change: (inner: Store) => Partial<Store>;
}

/** A new place whose handles are broken. */
export function brokenStoreHarness({ change }: BrokenStore): StoreHarness {
  return memoryStoreHarness((inner) => ({ ...wholeStore(inner), ...change(inner) }));
}

function wholeStore(inner: Store): Store {
  return {
    open: (scope, fence) => inner.open(scope, fence),
    getMany: (keys) => inner.getMany(keys),
    scan: (range) => inner.scan(range),
    apply: (mark, changes) => inner.apply(mark, changes),
    load: (groups, rows, mark) => inner.load(groups, rows, mark),
    drop: (groups) => inner.drop(groups),
    close: () => inner.close(),
  };
}

/** `changes` chunk by chunk as `change` makes them. */
export function changed(changes: Delta, change: (chunk: readonly Change[]) => readonly Change[]): Delta {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of changes) yield change(chunk);
    },
  };
}
