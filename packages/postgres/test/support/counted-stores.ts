/** Stores that count what is asked of them. */

import type { Store, StoreProvider } from "@tidemark/core";

export interface StoreCounts {
  load: number;
  apply: number;
}

/** `inner`, and how often its stores were loaded and applied to. */
export function countedStores(inner: StoreProvider): {
  readonly provider: StoreProvider;
  readonly counts: StoreCounts;
} {
  const counts: StoreCounts = { load: 0, apply: 0 };
  const create = (): Store => {
    const store = inner.create();
    const { load, apply } = store;
    return Object.assign(store, {
      load: (...args: Parameters<Store["load"]>) => {
        counts.load++;
        return load.apply(store, args);
      },
      apply: (...args: Parameters<Store["apply"]>) => {
        counts.apply++;
        return apply.apply(store, args);
      },
    });
  };
  return { provider: { cacheBytes: inner.cacheBytes, create }, counts };
}
