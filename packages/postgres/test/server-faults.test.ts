/** What a server does to its clients: it ends, refuses, waits, and runs out of things. */

import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newFence } from "@tidemark/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgres, postgresStorage } from "../src/index.js";
import { CommitProxy } from "./support/commit-proxy.js";
import { readAll } from "./support/objects.js";
import { matching } from "./support/matching.js";
import { TestServer } from "./support/servers.js";
import { applied, firstValue, GROUPS, keyOf, markOf, openStore, puts, SCOPE, valuesOf } from "./support/stores.js";

const canMount = tryMount();

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start({ settings: { max_prepared_transactions: 0 } });
}, 60_000);
afterAll(() => test.stop());

const unavailable = { code: "UNAVAILABLE", retryable: true };

/** A session from the side that locks all entries, until the result is called. */
async function lockEntries(schema: string): Promise<() => Promise<void>> {
  const client = await test.admin.connect();
  await client.query(`BEGIN; SELECT * FROM ${schema}.tidemark_entry FOR UPDATE`);
  return async () => {
    await client.query("ROLLBACK");
    client.release();
  };
}

describe("a server that ends", () => {
  const ends: readonly (readonly [string, () => Promise<void>])[] = [
    ["restarts fast", () => test.server.restart("fast")],
    ["restarts at once", () => test.server.restart("immediate")],
    ["is killed with all of its children", () => test.server.kill().then(() => test.server.start())],
  ];
  it.each(ends)(
    "S5 S9 when it %s, calls fail, what was acknowledged is there, and the pool heals",
    async (_what, end) => {
      const schema = test.newSchema();
      // What the role has set does not take durability away.
      await test.sql("ALTER ROLE tidemark SET synchronous_commit = off");
      const { store } = await openStore({ url: test.url, schema });
      const storage = postgresStorage({ url: test.url, schema });
      await storage.put("a", Buffer.from("kept"));
      await store.apply(markOf(1), puts("1", 5_000));
      const running = Promise.allSettled([
        store.apply(markOf(2), puts("2", 100_000)),
        valuesOf(store),
        storage.put("b", Buffer.from("b")),
      ]);
      await end();
      for (const result of await running) {
        if (result.status === "rejected") expect(result.reason).toMatchObject(unavailable);
      }
      expect(["1", "2"]).toContain(await retried(() => firstValue(store)));
      await applied(store, 2, puts("2", 100_000));
      expect(await valuesOf(store)).toEqual(new Set(["2"]));
      expect((await readAll(storage, "a")).toString()).toBe("kept");
      await Promise.all([store.close(), storage.close()]);
    },
  );

  it("S5 S9 when it is down, every call says so, and close does not hang", async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await store.apply(markOf(1), puts("1"));
    await test.server.halt("fast");
    await expect(store.getMany([keyOf(1, "000000")])).rejects.toMatchObject(unavailable);
    await expect(valuesOf(store)).rejects.toMatchObject(unavailable);
    await expect(store.apply(markOf(2), puts("2"))).rejects.toMatchObject(unavailable);
    await expect(openStore({ url: test.url, schema })).rejects.toMatchObject(unavailable);
    await store.close();
    await test.server.start();
  });

  it("S5 ended sessions are replaced", async () => {
    const { store } = await openStore({ url: test.url, schema: test.newSchema() });
    await store.apply(markOf(1), puts("1"));
    await test.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    expect(await retried(() => firstValue(store))).toBe("1");
    await store.close();
  });
});

describe("a server that waits", () => {
  it("S3 S9 a server that does not answer at all is given up, and asked again on another connection", async () => {
    const { store } = await openStore({ url: test.url, schema: test.newSchema(), timeoutMs: 200 });
    await store.apply(markOf(1), puts("1"));
    const rows = await test.sql(
      "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    const pids = rows.map(({ pid }) => pid as number);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      await expect(firstValue(store)).rejects.toMatchObject({ ...unavailable, message: matching(/ETIMEDOUT/) });
      expect(await firstValue(store)).toBe("1");
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    await store.close();
  });

  it("S6 a statement that waits too long fails, and the next one does not", async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema, timeoutMs: 300 });
    await store.apply(markOf(1), puts("1"));
    const unlock = await lockEntries(schema);
    await expect(store.apply(markOf(2), puts("2"))).rejects.toMatchObject(unavailable);
    await unlock();
    await store.apply(markOf(2), puts("2"));
    expect(await firstValue(store)).toBe("2");
    await store.close();
  });

  it("S6 a deadlock is solved by making the whole transaction again", async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await store.apply(markOf(1), puts("1", 2));
    const side = await test.admin.connect();
    const change = `UPDATE ${schema}.tidemark_entry SET value = value WHERE key = $1`;
    await side.query("BEGIN; SET LOCAL deadlock_timeout = '60s'");
    await side.query(change, [Buffer.from(keyOf(1, "000001"), "latin1")]);
    const applying = store.apply(markOf(2), puts("2", 2));
    while ((await test.sql("SELECT 1 FROM pg_locks WHERE NOT granted")).length === 0);
    await side.query(change, [Buffer.from(keyOf(1, "000000"), "latin1")]);
    await side.query("COMMIT");
    side.release();
    await applying;
    expect(await valuesOf(store)).toEqual(new Set(["2"]));
    await store.close();
  });

  it("S6 so is a serialization failure, a limited number of times", async () => {
    const schema = test.newSchema();
    const { store } = await openStore({ url: test.url, schema });
    await test.sql(`CREATE SEQUENCE ${schema}.tries;
      CREATE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('${schema}.tries') % 8 IN (1, 2) OR current_setting('tidemark.fails', true) = 'on' THEN
          RAISE EXCEPTION 'fails' USING ERRCODE = '40001'; END IF;
        RETURN NEW; END $$;
      CREATE TRIGGER fail BEFORE INSERT ON ${schema}.tidemark_entry FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.fail()`);
    await store.apply(markOf(1), puts("1"));
    expect(await firstValue(store)).toBe("1");
    await test.sql("ALTER ROLE tidemark SET tidemark.fails = 'on'");
    const fresh = await openStore({ url: test.url, schema });
    await expect(fresh.store.apply(markOf(2), puts("2"))).rejects.toMatchObject(unavailable);
    await test.sql("ALTER ROLE tidemark RESET tidemark.fails");
    await Promise.all([store.close(), fresh.store.close()]);
  });

  it("S2 an owner that stands still at its COMMIT does not keep the next one out", { timeout: 40_000 }, async () => {
    const proxy = await CommitProxy.start(test.server.port);
    const schema = test.newSchema();
    const first = await openStore({ url: proxy.through(test.url), schema });
    await first.store.apply(markOf(1), puts("1"));
    const held = proxy.arm("hold");
    const applying = first.store.apply(markOf(2), puts("late"));
    const outcome = applying.catch((error: unknown) => error);
    await held;
    const second = await openStore({ url: test.url, schema });
    expect(second.applied).toEqual([{ groups: GROUPS.ranges[0], mark: markOf(1) }]);
    await second.store.apply(markOf(2), puts("2"));
    proxy.letGo();
    expect(await outcome).toMatchObject({ code: "FENCED" });
    expect(await valuesOf(second.store)).toEqual(new Set(["2"]));
    await Promise.all([first.store.close(), second.store.close()]);
    await proxy.stop();
  });

  it("S2 whoever else locks the owner's row is reported", { timeout: 40_000 }, async () => {
    const schema = test.newSchema();
    const first = await openStore({ url: test.url, schema });
    const side = await test.admin.connect();
    await side.query(`BEGIN; SELECT * FROM ${schema}.tidemark_owner FOR UPDATE`);
    await expect(openStore({ url: test.url, schema, timeoutMs: 500 })).rejects.toMatchObject(unavailable);
    await side.query("ROLLBACK");
    side.release();
    await first.store.apply(markOf(1), puts("1"));
    await first.store.close();
  });
});

describe("a server that has no more", () => {
  it("S1 connections: it is said, and over when it is over", async () => {
    const schema = test.newSchema();
    await test.sql("CREATE ROLE narrow LOGIN SUPERUSER PASSWORD 'narrow'");
    await test.sql("ALTER ROLE narrow NOSUPERUSER CONNECTION LIMIT 1; GRANT CREATE ON DATABASE postgres TO narrow");
    const url = test.server.urlOf("narrow", "narrow");
    const { store } = await openStore({ url, schema, connectionsMax: 1 });
    const message = matching(/code="53300".*max_connections/);
    await expect(openStore({ url, schema })).rejects.toMatchObject({ ...unavailable, message });
    await store.apply(markOf(1), puts("1"));
    await store.close();
    // The session of the one before may take a moment to end.
    const { store: again } = await retried(() => openStore({ url, schema, connectionsMax: 1 }));
    expect(await firstValue(again)).toBe("1");
    await again.close();
  });

  // A small disk takes the right to mount one.
  it.runIf(canMount)("S5 disk: nothing of the apply is there, and it goes on when there is room", async () => {
    const full = smallDisk();
    const schema = test.newSchema();
    try {
      await test.sql(`CREATE TABLESPACE small LOCATION '${full}'`);
      const { store } = await openStore({ url: test.url, schema });
      await test.sql(`ALTER TABLE ${schema}.tidemark_entry SET TABLESPACE small`);
      await store.apply(markOf(1), puts("1"));
      const large = puts("x".repeat(1500), 12_000);
      await expect(applied(store, 2, large)).rejects.toMatchObject({
        ...unavailable,
        message: matching(/53100/),
      });
      const [value] = await store.getMany([keyOf(1, "000000")]);
      expect([1, 1500]).toContain(value?.length);
      await test.sql(`ALTER TABLE ${schema}.tidemark_entry SET TABLESPACE pg_default`);
      await store.apply(markOf(2), large);
      expect((await firstValue(store))?.length).toBe(1500);
      await store.close();
      await test.sql(`DROP SCHEMA ${schema} CASCADE`);
      await test.sql("DROP TABLESPACE small");
    } finally {
      execFileSync("umount", ["-l", full]);
      rmSync(full, { recursive: true });
    }
  });
});

describe("a pool of the caller's", () => {
  it("P2 gives back no connection on which something failed, and is not ended", async () => {
    const schema = test.newSchema();
    const pool = test.pool({ max: 1 });
    const pidOf = async (): Promise<unknown> => (await pool.query("SELECT pg_backend_pid() AS pid")).rows;
    const store = postgres({ pool, schema, timeoutMs: 300 }).store.create();
    await store.open(SCOPE, newFence());
    await store.apply(markOf(1), puts("1"));
    const before = await pidOf();
    const unlock = await lockEntries(schema);
    await expect(store.apply(markOf(2), puts("2"))).rejects.toMatchObject(unavailable);
    await unlock();
    expect(await pidOf()).not.toEqual(before);
    await store.close();
    expect(await pidOf()).toHaveLength(1);
  });
});

async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

/** A filesystem of 8 MB that belongs to whoever the server runs as. */
function smallDisk(): string {
  const path = mkdtempSync(join(tmpdir(), "tidemark-small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "none", path], { stdio: "ignore" });
  const { uid, gid } = statSync(test.server.data);
  chownSync(path, uid, gid);
  return path;
}

/** Only root may, and in a container not always. */
function tryMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "tidemark-small-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", path], { stdio: "ignore" });
    execFileSync("umount", [path]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true });
  }
}
