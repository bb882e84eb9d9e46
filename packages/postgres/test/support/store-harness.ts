/** Places for the laws of stores: in one schema, told apart by what goes before the job's name. */

import type { StoreHarness } from "@tidemark/conformance";
import type { Store, StoreProvider } from "@tidemark/core";

let places = 0;

/** A new place in `provider`, whose handles are as `change` makes them. */
export function storeHarness(
  provider: StoreProvider,
  change: (store: Store) => Store = (store) => store,
): StoreHarness {
  places += 1;
  const prefix = `place ${places}: `;
  const stores: Store[] = [];
  return {
    takeover: "fences",
    create() {
      const store = provider.create();
      stores.push(store);
      return change(placed(store, prefix));
    },
    // Between two calls a connection holds nothing that the death of a process would free.
    crash: async () => undefined,
    async dispose() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}

function placed(store: Store, prefix: string): Store {
  const { open } = store;
  return Object.assign(store, {
    open: (scope: Parameters<Store["open"]>[0], fence: Parameters<Store["open"]>[1]) =>
      open.call(store, { ...scope, job: prefix + scope.job }, fence),
  });
}
