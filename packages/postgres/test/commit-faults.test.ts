/** Commits whose outcome is not known, or is not what was asked for. */

import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresStorage, type PostgresClient, type PostgresPool } from "../src/index.js";
import { CommitProxy, type Harm } from "./support/commit-proxy.js";
import { listAll, readAll } from "./support/objects.js";
import { TestServer } from "./support/servers.js";
import { applied, firstValue, GROUPS, markOf, openStore, puts, valuesOf } from "./support/stores.js";

let test: TestServer;
let proxy: CommitProxy;
beforeAll(async () => {
  test = await TestServer.start();
  proxy = await CommitProxy.start(test.server.port);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await test.stop();
});

/** Waits until the server has ended what the connections that were cut have begun. */
async function settled(): Promise<void> {
  let count = 1;
  while (count > 0) {
    const rows = await test.sql(
      "SELECT 1 FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    count = rows.length;
  }
}

const HARMS: readonly Harm[] = ["cut before", "cut after", "cut the reply"];

describe("a connection that is lost at COMMIT", () => {
  it.each(HARMS)("S6 %s: an apply takes place once, as a whole, and is known", async (harm) => {
    const options = { url: proxy.through(test.url), schema: test.newSchema() };
    const { store } = await openStore(options);
    await store.apply(markOf(1), puts("1"));
    const struck = proxy.arm(harm);
    const tries = await applied(store, 2, puts("2"));
    await struck;
    // A commit that the server has got is found out, and not made again.
    if (harm === "cut the reply") expect(tries).toBe(1);
    if (harm === "cut before") expect(tries).toBe(2);
    expect(await valuesOf(store)).toEqual(new Set(["2"]));
    await store.apply(markOf(3), puts("3"));
    await store.close();
    const again = await openStore({ ...options, url: test.url });
    expect(again.applied).toEqual([{ groups: GROUPS.ranges[0], mark: markOf(3) }]);
    expect(await firstValue(again.store)).toBe("3");
    await again.store.close();
  });

  it.each(HARMS)("S6 %s: in each transaction of a large apply", async (harm) => {
    const options = { url: proxy.through(test.url), schema: test.newSchema() };
    const { store } = await openStore(options);
    for (const [round, commits] of [1, 2, 3].entries()) {
      const struckBefore = proxy.struck;
      const applying = applied(store, 10 + round, puts(`${round}`, 45_000));
      for (let commit = 1; commit <= commits; commit++) await proxy.arm(harm);
      await applying;
      expect(proxy.struck).toBe(struckBefore + commits);
      expect(await valuesOf(store)).toEqual(new Set([`${round}`]));
    }
    await store.close();
  });

  it.each(HARMS)("CS5 %s: a put has taken place, or it has not, or says that it cannot tell", async (harm) => {
    const storage = postgresStorage({ url: proxy.through(test.url), schema: test.newSchema() });
    await storage.put("a/0", Buffer.from("first"));
    const struck = proxy.arm(harm);
    const outcome = await storage.put("a/1", Buffer.from("body"), { ifAbsent: true }).catch((error: unknown) => error);
    await struck;
    if (harm === "cut the reply") expect(outcome).toBe("created");
    else if (outcome !== "created") expect(outcome).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    await settled();
    const found = await listAll(storage);
    const repeated = await storage.put("a/1", Buffer.from("body"), { ifAbsent: true });
    expect(repeated).toBe(found.includes("a/1") ? "exists" : "created");
    expect((await readAll(storage, "a/1")).toString()).toBe("body");
    await storage.close();
  });
});

describe("a server that answers COMMIT with ROLLBACK", () => {
  it("S6 has not committed: the apply fails, and can be made again", async () => {
    const pool = test.pool();
    const options = { schema: test.newSchema() };
    const failing = { isOn: false };
    const { store } = await openStore({ ...options, pool: rollingBack(pool, failing) });
    await store.apply(markOf(1), puts("1"));
    failing.isOn = true;
    await expect(store.apply(markOf(2), puts("2"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      outcome: "not-applied",
    });
    failing.isOn = false;
    expect(await firstValue(store)).toBe("1");
    await store.apply(markOf(2), puts("2"));
    expect(await firstValue(store)).toBe("2");
    await store.close();
  });
});

/** A pool that spoils transactions at their end, in a way that a caller could overlook. */
function rollingBack(pool: pg.Pool, failing: { readonly isOn: boolean }): PostgresPool {
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect();
    const query = async (config: pg.QueryConfig): Promise<unknown> => {
      if (failing.isOn && config.text === "COMMIT") await client.query("SELECT 1 / 0").catch(() => undefined);
      return client.query(config);
    };
    return Object.assign(Object.create(client) as PostgresClient, { query });
  };
  return Object.assign(Object.create(pool) as PostgresPool, { connect });
}
