/** The laws of `Store`, on a server that this file starts. */

import { anyStoreHistory, checkProperty, checkStoreLaw, STORE_LAWS } from "@tidemark/conformance";
import type { StoreProvider } from "@tidemark/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { TestServer } from "./support/servers.js";
import { storeHarness, storeProvider } from "./support/store-harness.js";

let test: TestServer;
let stores: StoreProvider;
beforeAll(async () => {
  test = await TestServer.start();
  stores = storeProvider(test);
}, 60_000);
afterAll(() => test.stop());

describe("a store in PostgreSQL", () => {
  it.each(STORE_LAWS)("$id $title", async (law) => {
    await checkStoreLaw(law, async () => storeHarness(stores));
  });

  it("S1, S2, S3, S4, S5, S6, S7, S8, S9: after any history it answers as the model says", async () => {
    await checkProperty(
      "any store history",
      anyStoreHistory(async () => storeHarness(stores)),
      { runs: 15, seed: 7 },
    );
  }, 60_000);
});
