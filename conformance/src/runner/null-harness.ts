/**
 * The canary: an adapter that accepts everything and keeps nothing. A law that it passes looks at nothing, and then the kit is at
 * fault, not the adapter.
 */

import { stickyKeyGroups } from "@tidemark/core";
import { BROKEN_ASSIGNMENTS } from "../broken/broken-checkpoints.js";
import { BROKEN_JOBS } from "../broken/broken-jobs.js";
import type { Harness } from "../harness.js";
import { type BrokenStore, brokenStoreHarness } from "../laws-of-stores/broken-store.js";
import { BROKEN_STORES } from "../laws-of-stores/broken-stores.js";
import type { StoreHarness } from "../laws-of-stores/store-harness.js";
import type { BackendHarness, Capabilities, StoreAdapterHarness } from "./adapter-harness.js";

/** Declares and offers whatever a law may ask for. */
export function nullHarness(capabilities: Capabilities): BackendHarness<undefined> {
  return {
    name: "null",
    contract: "backend",
    capabilities,
    create: () => undefined,
    reopen: () => ({
      put: async () => "created",
      async *get() {},
      async *list() {},
      remove: async () => {},
      close: async () => {},
      putWith: async () => "created",
    }),
    writeResult: () => {},
    readResults: () => [],
    backend: () => ({ name: "null", sync: true, checkpoints: undefined as never }),
    crash: () => {},
    readBack: () => undefined,
    corrupt: () => {},
    faults: () => () => false,
    advance: () => {},
  };
}

/** A store that takes everything and keeps nothing. */
export const NULL_STORE: StoreAdapterHarness<undefined> = {
  name: "null",
  contract: "store",
  create: () => undefined,
  reopen: () => ({
    prepare: async () => {},
    open: async () => [],
    getMany: async (keys) => keys.map(() => undefined),
    async *scan() {},
    apply: async () => {},
    load: async () => {},
    drop: async () => {},
    close: async () => {},
  }),
  crash: () => {},
};

/** A store that always says the same: where nothing was put it has something, too. */
export const CONSTANT_STORE: StoreAdapterHarness<undefined> = {
  ...NULL_STORE,
  name: "constant",
  reopen: (place) => ({
    ...NULL_STORE.reopen(place),
    open: async ({ groups }) =>
      groups.ranges.map((each) => ({ groups: each, mark: { checkpoint: 1, tag: "constant" } })),
    getMany: async (keys) => keys.map(() => Buffer.from("constant")),
    async *scan({ start }) {
      yield [{ key: start, value: Buffer.from("constant") }];
    },
  }),
};

/** The broken stores of a clause: a law about what must not happen does not fail where nothing does. */
export function brokenStores(clause: string | undefined): readonly StoreAdapterHarness<StoreHarness>[] {
  return BROKEN_STORES.filter((broken) => broken.clause === clause).map(brokenStoreAdapter);
}

/** A broken store, as its author would hand it in. */
export function brokenStoreAdapter(broken: BrokenStore): StoreAdapterHarness<StoreHarness> {
  return storeAdapter(broken.what, () => brokenStoreHarness(broken));
}

/** A store of the laws' own, as its author would hand it in. */
export function storeAdapter(name: string, create: () => StoreHarness): StoreAdapterHarness<StoreHarness> {
  return {
    name,
    contract: "store",
    create,
    reopen: (place) => place.create(),
    crash: (place, store) => place.crash(store),
    destroy: (place) => place.dispose(),
  };
}

/** Jobs that forget to delete, and key groups that are dealt out wrongly: a storage that keeps nothing does not show in state that is never restored. */
export function brokenJobs(jobs: Harness): Harness {
  const broken = BROKEN_JOBS.find(({ what }) => what === "deleting a value does nothing");
  const assign = BROKEN_ASSIGNMENTS[0]?.make(stickyKeyGroups);
  return {
    ...jobs,
    ...(broken === undefined ? {} : { wrap: broken.wrap }),
    ...(assign === undefined ? {} : { assign }),
  };
}
