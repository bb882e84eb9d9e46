/** The tables: made once, by whoever may, recognised, and refused if they are not as they must be. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { checkStoreLaw, STORE_LAWS } from "@tidemark/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migratePostgres, postgres, postgresStorage } from "../src/index.js";
import { listAll } from "./support/objects.js";
import { matching } from "./support/matching.js";
import { TestServer } from "./support/servers.js";
import { storeHarness } from "./support/store-harness.js";
import { firstValue, keyOf, markOf, openStore, puts, SCOPE, valuesOf } from "./support/stores.js";
import type { StoreProvider } from "@tidemark/core";

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start({ initdb: ["--locale-provider=icu", "--icu-locale=en-US"] });
}, 60_000);
afterAll(() => test.stop());

/** Laws of order, names and fences: what a strange database would break first. */
async function checkLaws(stores: StoreProvider, clauses: readonly string[]): Promise<void> {
  for (const law of STORE_LAWS) {
    if (clauses.includes(law.id)) await checkStoreLaw(law, async () => storeHarness(stores));
  }
}

describe("migrations", () => {
  it("P3 eight processes that start at once make the tables once", { timeout: 60_000 }, async () => {
    const schema = test.newSchema();
    const index = new URL("../dist/index.js", import.meta.url).href;
    const program = `import { migratePostgres } from ${JSON.stringify(index)};
      await migratePostgres({ url: process.argv[1], schema: process.argv[2] });`;
    const children = Array.from({ length: 8 }, () =>
      spawn(execPath, ["--input-type=module", "-e", program, test.url, schema], {
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    const codes = await Promise.all(children.map((child) => once(child, "close")));
    expect(codes.map(([code]) => code as number)).toEqual(new Array(8).fill(0));
    expect(await test.sql(`SELECT version FROM ${schema}.tidemark_version`)).toEqual([{ version: 1 }]);
  });

  it("P3 so do eight handles that open at once", async () => {
    const schema = test.newSchema();
    const opened = await Promise.all(
      Array.from({ length: 8 }, (_, job) =>
        openStore({ pool: test.pool({ max: 1 }), schema }, { ...SCOPE, job: `job ${job}` }),
      ),
    );
    for (const { store } of opened) await store.close();
  });

  it("P4 a role without CREATE works on tables that the owner has made, and asks for them otherwise", async () => {
    const schema = test.newSchema();
    await test.sql("CREATE ROLE runtime LOGIN PASSWORD 'runtime'; REVOKE ALL ON SCHEMA public FROM PUBLIC");
    const url = test.server.urlOf("runtime", "runtime");
    const remedy = matching(/Run migratePostgres/);
    await expect(openStore({ url, schema })).rejects.toMatchObject({ code: "UNAVAILABLE", message: remedy });
    await expect(openStore({ url: test.url, schema, migrate: false })).rejects.toMatchObject({ message: remedy });
    await migratePostgres({ url: test.url, schema });
    await expect(openStore({ url, schema })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: matching(/42501.*Grant/),
    });
    await test.sql(`GRANT USAGE ON SCHEMA ${schema} TO runtime;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO runtime`);
    const backend = postgres({ url, schema, migrate: false });
    await checkLaws(backend.store, ["S1", "S2", "S5", "S6", "S7", "S8"]);
    await backend.checkpoints.put("a", Buffer.from("a"));
    await backend.checkpoints.remove(["a"]);
    await backend.checkpoints.close();
  });

  it("P5 tables of a newer version are FORMAT_UNSUPPORTED, and not touched", async () => {
    const schema = test.newSchema();
    await migratePostgres({ url: test.url, schema });
    await test.sql(`INSERT INTO ${schema}.tidemark_version (version) VALUES (2)`);
    const options = { url: test.url, schema };
    await expect(openStore(options)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
    await expect(migratePostgres(options)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
    await expect(postgresStorage(options).put("a", Buffer.from(""))).rejects.toMatchObject({
      code: "FORMAT_UNSUPPORTED",
    });
  });

  it("P5 tables of others are STATE_INCOMPATIBLE, and not touched", async () => {
    const schema = test.newSchema();
    await test.sql(
      `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.tidemark_entry (mine text); INSERT INTO ${schema}.tidemark_entry VALUES ('x')`,
    );
    await expect(openStore({ url: test.url, schema })).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
    expect(await test.sql(`SELECT * FROM ${schema}.tidemark_entry`)).toEqual([{ mine: "x" }]);
    expect(
      await test.sql("SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename <> 'tidemark_entry'", [schema]),
    ).toEqual([]);
  });

  it.each([
    ["ALTER TABLE $.tidemark_entry DROP COLUMN tail", /tidemark_entry.*tail:bytea/],
    ["ALTER TABLE $.tidemark_owner ALTER COLUMN seq TYPE integer", /tidemark_owner.*seq:int8/],
    ["DROP TABLE $.tidemark_chunk", /tidemark_chunk/],
  ])("P5 after %j the tables are STATE_INCOMPATIBLE", async (change, message) => {
    const schema = test.newSchema();
    await migratePostgres({ url: test.url, schema });
    await test.sql(change.replace("$", schema));
    const expected = { code: "STATE_INCOMPATIBLE", message: matching(message) };
    await expect(openStore({ url: test.url, schema })).rejects.toMatchObject(expected);
  });

  it("P5 so they are if they change while a store is open", async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await test.sql(`ALTER TABLE ${schema}.tidemark_entry RENAME COLUMN value TO other`);
    await expect(firstValue(store)).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
    await expect(store.apply(markOf(1), puts("1"))).rejects.toMatchObject({ code: "STATE_INCOMPATIBLE" });
    await store.close();
  });
});

describe("rows that something else has changed", () => {
  it.each([
    ["a value", "UPDATE $.tidemark_entry SET value = '\\x00'"],
    ["one byte", "UPDATE $.tidemark_entry SET value = set_byte(value, 0, get_byte(value, 0) # 1)"],
    ["values that changed places", "UPDATE $.tidemark_entry SET key = set_byte(key, 7, get_byte(key, 7) + 8)"],
  ])("P6 %s: CHECKPOINT_CORRUPT, and never another value", async (_what, change) => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await store.apply(markOf(1), puts("1"));
    await test.sql(change.replace("$", schema));
    await expect(valuesOf(store)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await expect(store.getMany([keyOf(1, "000000"), keyOf(1, "000008")])).rejects.toMatchObject({
      code: "CHECKPOINT_CORRUPT",
    });
    await store.close();
  });

  it("P6 a piece of an object that is gone: CHECKPOINT_CORRUPT, and never fewer bytes", async () => {
    const schema = test.newSchema();
    const storage = postgresStorage({ url: test.url, schema });
    await storage.put("a", Buffer.alloc(1_200_000));
    await test.sql(`DELETE FROM ${schema}.tidemark_chunk WHERE chunk = 1`);
    const read = async (): Promise<void> => {
      for await (const chunk of storage.get("a")) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    await storage.close();
  });
});

describe("a strange database", () => {
  it("P7 with a collation of its own for text orders keys as bytes", { timeout: 60_000 }, async () => {
    const { store } = postgres({ pool: test.pool(), schema: test.newSchema() });
    expect(await test.sql("SELECT datlocprovider AS provider FROM pg_database WHERE datname = 'postgres'")).toEqual([
      { provider: "i" },
    ]);
    await checkLaws(store, ["S3", "S4"]);
    const storage = postgresStorage({ pool: test.pool(), schema: test.newSchema() });
    const names = ["a-b/c", "a.b/c", "a/b", "a_b/c", "ab/c"];
    for (const name of names) await storage.put(name, Buffer.from(name));
    expect(await listAll(storage, "a/")).toEqual(["a/b"]);
    expect(await listAll(storage)).toEqual(names);
  });

  it("P8 with functions and operators of others in the way uses the server's own", { timeout: 60_000 }, async () => {
    await test.sql("CREATE DATABASE attacked");
    const url = test.server.urlOf("tidemark", "tidemark-test", "attacked");
    const admin = test.pool({ connectionString: url });
    await admin.query(`CREATE SCHEMA evil;
      CREATE FUNCTION evil.lie(bytea, bytea) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION evil.lie(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION evil.lie(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION evil.lie(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE sql AS 'SELECT $1[1] WHERE false';
      CREATE FUNCTION evil.substring(bytea, integer, integer) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$;
      CREATE FUNCTION evil.max(integer) RETURNS integer LANGUAGE sql AS 'SELECT 99';
      CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'infinity'::timestamptz $$`);
    for (const type of ["bytea", "bigint", "integer", "text"]) {
      for (const operator of ["=", "<", ">", ">=", "<="]) {
        await admin.query(
          `CREATE OPERATOR evil.${operator} (LEFTARG = ${type}, RIGHTARG = ${type}, FUNCTION = evil.lie)`,
        );
      }
    }
    await admin.query("ALTER DATABASE attacked SET search_path = evil, pg_catalog");
    await admin.end();
    const pool = test.pool({ connectionString: url });
    expect((await pool.query("SELECT 1 = 1 AS lie")).rows).toEqual([{ lie: false }]);
    const { store, checkpoints } = postgres({ pool, schema: "tidemark" });
    await checkLaws(store, ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"]);
    await checkpoints.put("a/b", Buffer.from("body"));
    for await (const chunk of checkpoints.get("a/b")) expect(Buffer.from(chunk).toString()).toBe("body");
    expect(await listAll(checkpoints, "a/")).toEqual(["a/b"]);
    await checkpoints.remove(["a/b"]);
    expect(await listAll(checkpoints)).toEqual([]);
    await pool.end();
  });
});
