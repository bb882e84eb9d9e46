/** The laws' own store: the reference in memory. */

import { memoryStore, type Store, type StoreProvider } from "@tidemark/core";
import type { StoreHarness } from "./store-harness.js";

/** A place in memory, as `change` makes the handles on it. */
export function memoryStoreHarness(
  change: (store: Store, provider: StoreProvider) => Store = (store) => store,
): StoreHarness {
  const provider = memoryStore();
  return {
    takeover: "fences",
    create: () => change(provider.create(), provider),
    // The memory is the place: it outlives the handle, and nothing is lost.
    crash: async () => undefined,
    dispose: async () => undefined,
  };
}
