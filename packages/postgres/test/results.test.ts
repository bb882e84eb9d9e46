/** Writes of the caller's that count if and only if an object was created. */

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
  await test.sql("DROP TABLE IF EXISTS results; CREATE TABLE results (n int PRIMARY KEY)");
  storage = postgresStorage({ url: proxy.through(test.url), schema: test.newSchema() });
});

const BODY = Buffer.from("manifest");

/** Writes `n` to a table that is found by the role's search path. */
function writing(n: number): TransactionWork {
  return async (client) => {
    await client.query("INSERT INTO results VALUES ($1)", [n]);
  };
}

async function results(): Promise<unknown[]> {
  return (await test.sql("SELECT n FROM results ORDER BY n")).map(({ n }) => n);
}

describe("P15 results and an object", () => {
  it("are there together", async () => {
    expect(await storage.putWith("a/1", BODY, { work: writing(1) })).toBe("created");
    expect([await results(), await listAll(storage)]).toEqual([[1], ["a/1"]]);
    expect(await storage.putWith("a/2", Buffer.alloc(1_200_000), { work: writing(2) })).toBe("created");
    expect([await results(), await listAll(storage)]).toEqual([
      [1, 2],
      ["a/1", "a/2"],
    ]);
  });

  it("are not there where the object existed, the work failed, or the body did", async () => {
    await storage.put("a/1", BODY);
    expect(await storage.putWith("a/1", BODY, { work: writing(1) })).toBe("exists");
    const failure = new Error("mine");
    const failing: TransactionWork = async (client) => {
      await writing(2)(client);
      throw failure;
    };
    await expect(storage.putWith("a/2", BODY, { work: failing })).rejects.toBe(failure);
    const cut = (async function* () {
      yield BODY;
      throw failure;
    })();
    await expect(storage.putWith("a/3", cut, { work: writing(3) })).rejects.toBe(failure);
    expect([await results(), await listAll(storage)]).toEqual([[], ["a/1"]]);
  });

  it("cannot be parted by work that ends the transaction", async () => {
    const ending: TransactionWork = async (client) => {
      await client.query("COMMIT");
    };
    await expect(storage.putWith("a/1", BODY, { work: ending })).rejects.toThrow(TypeError);
    expect(await listAll(storage)).toEqual([]);
  });

  it("P15 wait for the guarded name, and are refused once it exists", async () => {
    const guard = { last: "owner/1", next: "owner/2" };
    await storage.put("owner/1", BODY);
    let release = (): void => undefined;
    const working = new Promise<void>((started) => {
      const held = storage.putWith("a/1", BODY, {
        guard,
        async work(client) {
          started();
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          await writing(1)(client);
        },
      });
      held.catch(() => undefined);
    });
    await working;
    const order: string[] = [];
    const created = storage.put("owner/2", BODY, { ifAbsent: true }).then(async (outcome) => {
      order.push(outcome, ...(await listAll(storage)));
    });
    await test.sql("SELECT pg_sleep(0.2)");
    order.push("released");
    release();
    await created;
    expect(order).toEqual(["released", "created", "a/1", "owner/1", "owner/2"]);
    expect(await storage.putWith("a/2", BODY, { guard, work: writing(2) })).toBe("refused");
    expect(await storage.putWith("a/3", BODY, { guard: { last: "other/1", next: "other/2" }, work: writing(3) })).toBe(
      "refused",
    );
    expect(await results()).toEqual([1]);
  });

  it("fail with what the server says of the caller's statement", async () => {
    await storage.putWith("a/1", BODY, { work: writing(1) });
    await expect(storage.putWith("a/2", BODY, { work: writing(1) })).rejects.toMatchObject({ code: "23505" });
    expect([await results(), await listAll(storage)]).toEqual([[1], ["a/1"]]);
  });

  it.each<Harm>(["cut before", "cut after", "cut the reply"])("are there both or neither after: %s", async (harm) => {
    await storage.put("b", BODY);
    const struck = proxy.arm(harm);
    const outcome = await storage.putWith("a/1", BODY, { work: writing(1) }).catch((error: unknown) => error);
    await struck;
    if (outcome !== "created") expect(outcome).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    // As core finds out: the same put again, which creates the object or finds it.
    const again = await storage.putWith("a/1", BODY, { work: writing(1) });
    expect(outcome === "created" ? again : "exists").toBe("exists");
    expect(await results()).toEqual([1]);
  });
});
