/** A schema as a place for the laws of stores; each handle has a pool of its own, as a process would. */

import type { StoreHarness } from "@tidemark/conformance";
import type { Store } from "@tidemark/core";
import { postgres } from "../../src/index.js";
import type { TestServer } from "./servers.js";

export function storeHarness(test: TestServer): StoreHarness {
  const schema = test.newSchema();
  const stores: Store[] = [];
  return {
    takeover: "fences",
    create() {
      const { store } = postgres({ url: test.url, schema, connectionsMax: 2 });
      const handle = (store as NonNullable<typeof store>).create();
      stores.push(handle);
      return handle;
    },
    // A connection holds nothing between two calls that the death of a process would free.
    crash: async () => undefined,
    async dispose() {
      await Promise.all(stores.map((store) => store.close()));
      await test.sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    },
  };
}
