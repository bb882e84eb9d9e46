/** The harness of the store in memory that core has: the reference of that contract. */

import { memoryStore, type StoreProvider } from "@tidemark/core";
import type { StoreAdapterHarness } from "../runner/adapter-harness.js";

/** The memory is the place: it outlives the handle, and nothing is lost with its process. */
export const MEMORY_STORE_HARNESS: StoreAdapterHarness<StoreProvider> = {
  name: "store in memory",
  contract: "store",
  create: () => memoryStore(),
  reopen: (place) => place.create(),
  crash: () => {},
};
