/** Writes of the caller's that count if and only if an object was created. */

import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresStorage, postgresStorage, type TransactionWork } from "../src/index.js";
import { CommitProxy, type Harm } from "./support/commit-proxy.js";
import { listAll } from "./support/objects.js";
import { TestServer } from "./support/servers.js";

let test: TestServer;
let proxy: CommitProxy;
let storage: PostgresStorage;
beforeAll(async () => {
  test = await TestServer.start();
  proxy = await CommitProxy.start(test.server.port);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await test.stop();
});
beforeEach(async () => {
  await test.sql("DROP TABLE IF EXISTS results; CREATE TABLE results (n int)");
  storage = postgresStorage({ url: proxy.through(test.url), schema: test.newSchema() });
});

const BODY = Buffer.from("manifest");

/** Writes `n` to a table that is found by the role's search path. */
function writing(n: number): TransactionWork {
  return async (client) => {
    await (client as unknown as pg.PoolClient).query("INSERT INTO results VALUES ($1)", [n]);
  };
}

async function results(): Promise<unknown[]> {
  return (await test.sql("SELECT n FROM results ORDER BY n")).map(({ n }) => n);
}

describe("P15 results and an object", () => {
  it("are there together", async () => {
    expect(await storage.putWith("a/1", BODY, writing(1))).toBe("created");
    expect([await results(), await listAll(storage)]).toEqual([[1], ["a/1"]]);
    expect(await storage.putWith("a/2", Buffer.alloc(1_200_000), writing(2))).toBe("created");
    expect([await results(), await listAll(storage)]).toEqual([
      [1, 2],
      ["a/1", "a/2"],
    ]);
  });

  it("are not there where the object existed, the work failed, or the body did", async () => {
    await storage.put("a/1", BODY);
    expect(await storage.putWith("a/1", BODY, writing(1))).toBe("exists");
    const failure = new Error("mine");
    const failing: TransactionWork = async (client) => {
      await writing(2)(client);
      throw failure;
    };
    await expect(storage.putWith("a/2", BODY, failing)).rejects.toBe(failure);
    const cut = (async function* () {
      yield BODY;
      throw failure;
    })();
    await expect(storage.putWith("a/3", cut, writing(3))).rejects.toBe(failure);
    expect([await results(), await listAll(storage)]).toEqual([[], ["a/1"]]);
  });

  it("cannot be parted by work that ends the transaction", async () => {
    const ending: TransactionWork = async (client) => {
      await (client as unknown as pg.PoolClient).query("COMMIT");
    };
    await expect(storage.putWith("a/1", BODY, ending)).rejects.toThrow(TypeError);
    expect(await listAll(storage)).toEqual([]);
  });

  it.each<Harm>(["cut before", "cut after", "cut the reply"])("are there both or neither after: %s", async (harm) => {
    await storage.put("b", BODY);
    const struck = proxy.arm(harm);
    const outcome = await storage.putWith("a/1", BODY, writing(1)).catch((error: unknown) => error);
    await struck;
    if (outcome !== "created") expect(outcome).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    // As core finds out: the same put again, which creates the object or finds it.
    const again = await storage.putWith("a/1", BODY, writing(1));
    expect(outcome === "created" ? again : "exists").toBe("exists");
    expect(await results()).toEqual([1]);
  });
});
