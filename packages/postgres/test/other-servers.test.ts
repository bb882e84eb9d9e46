/** Servers that are not what they seem: standbys, stale ones, damaged ones, and those behind a pooler. */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { anyStoreHistory, checkProperty, checkStoreLaw, STORE_LAWS } from "@tidemark/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandby } from "../../../scripts/services/postgres.mjs";
import { postgres, postgresStorage } from "../src/index.js";
import { CommitProxy } from "./support/commit-proxy.js";
import { Pooler } from "./support/pooler.js";
import { matching } from "./support/matching.js";
import { TestServer } from "./support/servers.js";
import { storeHarness } from "./support/store-harness.js";
import { firstValue, GROUPS, markOf, openStore, puts, valuesOf } from "./support/stores.js";

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start({
    initdb: ["--data-checksums", "-A", "trust"],
    settings: { fsync: "off", full_page_writes: "off", autovacuum: "off" },
  });
}, 60_000);
afterAll(() => test.stop(), 30_000);

describe("a server behind a pooler that gives out its one session for a transaction at a time", () => {
  it("P9 is as good as one without", { timeout: 60_000 }, async () => {
    const pooler = await Pooler.start(test.server.port, "tidemark");
    const pool = test.pool({ connectionString: `postgresql://tidemark@127.0.0.1:${pooler.port}/postgres`, max: 8 });
    const { store, checkpoints } = postgres({ pool, schema: test.newSchema() });
    for (const law of STORE_LAWS) await checkStoreLaw(law, async () => storeHarness(store));
    await checkProperty(
      "any store history",
      anyStoreHistory(async () => storeHarness(store), 10),
      { runs: 3, seed: 9 },
    );
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        await checkpoints.put(`a/${index}`, Buffer.alloc(600_000, index));
        for await (const chunk of checkpoints.get(`a/${index}`)) expect(chunk[0]).toBe(index);
      }),
    );
    expect(pooler.transactions).toBeGreaterThan(300);
    await pool.end();
    await pooler.stop();
  });
});

describe("a standby", () => {
  it("P10 is refused; one that was promoted and has lost changes is found out", { timeout: 90_000 }, async () => {
    const schema = test.newSchema();
    const proxy = await CommitProxy.start(test.server.port);
    const options = { url: proxy.through(test.url), schema };
    const { store } = await openStore(options);
    await store.apply(markOf(1), puts("1"));
    const standby = await startStandby(test.server, { settings: { fsync: "off" } });
    try {
      const refused = { code: "UNAVAILABLE", message: matching(/standby/) };
      await expect(openStore({ url: standby.url, schema })).rejects.toMatchObject(refused);
      await expect(postgresStorage({ url: standby.url, schema }).put("a", Buffer.from("a"))).rejects.toMatchObject(
        refused,
      );
      await standby.halt("fast");
      await store.apply(markOf(2), puts("2"));
      // Dead before the other one starts, so that this never hears of the last change.
      await test.server.halt("fast");
      await standby.start();
      await standby.promote();
      // As a name or an address that now leads to the other one.
      proxy.target = standby.port;
      proxy.cut();
      await expect(retried(() => firstValue(store))).rejects.toMatchObject({ code: "FENCED" });
      await expect(valuesOf(store)).rejects.toMatchObject({ code: "FENCED" });
      await expect(store.apply(markOf(3), puts("3"))).rejects.toMatchObject({ code: "FENCED" });
      await store.close();
      const again = await openStore(options);
      expect(again.applied).toEqual([{ groups: GROUPS.ranges[0], mark: markOf(1) }]);
      await again.store.close();
    } finally {
      await Promise.allSettled([proxy.stop(), standby.stop()]);
      await test.server.start();
    }
  });
});

describe("a server that may lose what it acknowledges", () => {
  it("P11 is named, once for each backend", async () => {
    const warnings: string[] = [];
    const { store } = postgres({
      url: test.url,
      schema: test.newSchema(),
      onWarning: (message) => warnings.push(message),
    });
    for (const handle of [1, 2].map(() => store.create())) {
      await handle.prepare?.({ job: "j", operator: "o", maxParallelism: 1, groups: GROUPS });
      await handle.close();
    }
    expect(warnings).toEqual([expect.stringMatching(/off=fsync,full_page_writes/)]);
  });
});

describe("a server with a damaged disk", () => {
  it("P6 a page that fails its checksum is CHECKPOINT_CORRUPT", { timeout: 60_000 }, async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await store.apply(markOf(1), puts("x".repeat(100), 500));
    const [file] = await test.sql(`SELECT pg_relation_filepath('${schema}.tidemark_entry') AS path`);
    await test.server.halt("fast");
    flipByte(join(test.server.data, file?.["path"] as string), 5_000);
    await test.server.start();
    await expect(retried(() => valuesOf(store))).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await store.close();
  });
});

function flipByte(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 0xff;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Again while the connections of before are broken. */
async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 10 || !(error as { readonly retryable?: boolean }).retryable) throw error;
    }
  }
}
