/** Behind a real pgbouncer in transaction mode. */

import { anyStoreHistory, checkProperty, checkStoreLaw, STORE_LAWS } from "@tidemark/conformance";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Pgbouncer, startPgbouncer } from "../../../scripts/services/pgbouncer.mjs";
import { postgres } from "../src/index.js";
import { TestServer } from "./support/servers.js";
import { storeHarness } from "./support/store-harness.js";

let test: TestServer;
let bouncer: Pgbouncer;
beforeAll(async () => {
  test = await TestServer.start({ initdb: ["-A", "trust"], settings: { fsync: "off" } });
  // A scan keeps one of them.
  bouncer = await startPgbouncer({ port: test.server.port, sessions: 2 });
}, 120_000);
afterAll(async () => {
  await bouncer.stop();
  await test.stop();
}, 30_000);

const COUNTS = defineOperator("counts", { key: string(), states: { n: value<number>({ default: 0 }) } });

describe("P9 behind pgbouncer in transaction mode", () => {
  it("the laws of stores hold", { timeout: 120_000 }, async () => {
    const { store } = postgres({ url: bouncer.url, schema: test.newSchema(), onWarning: () => undefined });
    for (const law of STORE_LAWS) await checkStoreLaw(law, async () => storeHarness(store));
    await checkProperty(
      "any store history",
      anyStoreHistory(async () => storeHarness(store), 10),
      { runs: 3, seed: 9 },
    );
  });

  it("jobs share its sessions, and their results commit with their checkpoints", { timeout: 60_000 }, async () => {
    await test.sql("CREATE TABLE results (job text, n int)");
    const schema = test.newSchema();
    const jobs = ["a", "b", "c", "d"];
    const run = async (job: string): Promise<void> => {
      const backend = postgres({ url: bouncer.url, schema, cacheBytes: 0, onWarning: () => undefined });
      const task = await openTask(COUNTS, { job, backend });
      for (let round = 0; round < 5; round++) {
        for (let key = 0; key < 300; key++) await task.n.update(`k${key}`, (n) => n + 1);
        await task.checkpoint({
          transaction: async (client) =>
            void (await client.query("INSERT INTO results VALUES ($1, $2)", [job, round + 1])),
        });
      }
      let count = 0;
      for await (const key of task.n.keys()) count += await task.n.get(key);
      expect(count).toBe(1500);
      await task.close();
    };
    await Promise.all(jobs.map(run));
    const rows = await test.sql("SELECT job, array_agg(n ORDER BY n) AS n FROM results GROUP BY job ORDER BY job");
    expect(rows).toEqual(jobs.map((job) => ({ job, n: [1, 2, 3, 4, 5] })));
  });
});
