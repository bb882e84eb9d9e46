/** Any history of a job, with its working state in a database, and with its checkpoints there too. */

import {
  anyHistory,
  checkProperty,
  Coverage,
  type Harness,
  memoryPlace,
  rescalingIsIdentity,
} from "@tidemark/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { postgres, postgresStorage } from "../src/index.js";
import { TestServer } from "./support/servers.js";

let test: TestServer;
let state: Harness;
let everything: Harness;
beforeAll(async () => {
  test = await TestServer.start();
  const pool = test.pool();
  // One place for all jobs that are ever opened: what others have left there must not be taken for one's own.
  const backend = postgres({ pool, schema: "working", cacheBytes: 4096 });
  state = { name: "state in PostgreSQL", backend: () => backend, place: memoryPlace };
  everything = {
    name: "all in PostgreSQL",
    backend: () => backend,
    place: () => {
      const schema = test.newSchema();
      return { open: () => postgresStorage({ pool, schema }) };
    },
  };
}, 60_000);
afterAll(() => test.stop());

describe("T19 T20 restore(checkpoint(s)) = s, for any history", () => {
  it("with working state in PostgreSQL", { timeout: 120_000 }, async () => {
    await checkProperty("any history", anyHistory(state, new Coverage(), 40), { runs: 4, seed: 20_261_101 });
  });

  it("with checkpoints in PostgreSQL, too", { timeout: 120_000 }, async () => {
    await checkProperty("any history", anyHistory(everything, new Coverage(), 30), { runs: 2, seed: 20_261_102 });
  });

  it("T19 T96 over any numbers of tasks", { timeout: 120_000 }, async () => {
    await checkProperty("rescaling", rescalingIsIdentity(state, new Coverage()), { runs: 3, seed: 20_261_103 });
  });
});
