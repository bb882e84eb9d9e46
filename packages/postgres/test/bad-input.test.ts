/** What callers get wrong: told at once, with a remedy, and never with a secret. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { newFence } from "@tidemark/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migratePostgres, postgres, type PostgresOptions, postgresStorage, type PostgresTls } from "../src/index.js";
import { matching } from "./support/matching.js";
import { TestServer } from "./support/servers.js";
import { keyOf, markOf, openStore, puts, SCOPE } from "./support/stores.js";

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start();
}, 60_000);
afterAll(() => test.stop());

const SECRET = "marker-5f2e";
const URL = `postgresql://tidemark:${SECRET}@db.example.com/postgres`;

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "fixtures", `${name}.pem`), "utf8");
}

/** All that an error shows, with its causes. */
function shown(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error);
}

describe("options", () => {
  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /pool or url/],
    ["neither pool nor url", {}, /pool or url/],
    ["both", { url: URL, pool: {} }, /pool or url/],
    ["an unknown name", { url: URL, schem: "a" }, /schem/],
    ["no URL", { url: `${SECRET}` }, /postgresql:\/\/user/],
    ["another protocol", { url: `https://a:${SECRET}@b` }, /postgresql:\/\/user/],
    ["a URL that says how to encrypt", { url: `${URL}?sslmode=require` }, /option tls/],
    ["a URL that is a number", { url: 7 }, /no string/],
    ["no pool", { pool: { connect: 1 } }, /no pool of pg/],
    ["tls with a pool", { pool: {}, tls: {} }, /belongs to url/],
    ["tls that is true", { url: URL, tls: true }, /neither an object nor false/],
    ["a number as text", { url: URL, timeoutMs: "5" }, /timeoutMs/],
    ["migrate as text", { url: URL, migrate: "no" }, /migrate/],
    ["no function", { url: URL, onWarning: 1 }, /onWarning/],
  ])("P12 %s: a TypeError", (_what, options, message) => {
    for (const make of [postgres, postgresStorage]) {
      let error: unknown;
      try {
        make(options as PostgresOptions);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(message);
      expect(shown(error)).not.toContain(SECRET);
    }
  });

  it.each([
    { schema: "" },
    { schema: "A" },
    { schema: 'a"; DROP SCHEMA public' },
    { schema: "pg_mine" },
    { schema: "x".repeat(64) },
    { cacheBytes: -1 },
    { timeoutMs: 0 },
    { connectionsMax: 0.5 },
  ])("P12 %j: a RangeError", (option) => {
    expect(() => postgres({ url: URL, ...option })).toThrow(RangeError);
  });

  it("P12 the backend does not show the URL", () => {
    expect(shown(postgres({ url: URL }))).not.toContain(SECRET);
  });
});

describe("a server that cannot be used", () => {
  it.each<[string, () => string, RegExp]>([
    ["a wrong password", () => test.server.urlOf("tidemark", SECRET), /28P01.*password/],
    ["an unknown user", () => test.server.urlOf("nobody", SECRET), /28P01/],
    ["an unknown database", () => test.server.urlOf("tidemark", "tidemark-test", "none"), /3D000.*database/],
    ["a port where nothing is", () => `postgresql://tidemark:${SECRET}@127.0.0.1:1/postgres`, /ECONNREFUSED/],
    ["a host that is not there", () => `postgresql://tidemark:${SECRET}@host.invalid/postgres`, /ENOTFOUND|EAI_AGAIN/],
  ])("P12 %s: UNAVAILABLE, with a remedy and without the password", async (_what, url, message) => {
    for (const call of [
      () => openStore({ url: url() }),
      () => postgresStorage({ url: url() }).put("a", Buffer.from("a")),
      () => migratePostgres({ url: url() }),
    ]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "UNAVAILABLE", message: matching(message) });
      expect(shown(error)).not.toContain(SECRET);
      expect(shown(error)).not.toContain("tidemark-test");
    }
  });

  it("P13 a server is known by its certificate and its name", { timeout: 60_000 }, async () => {
    const [cert, key, other] = ["server-cert", "server-key", "other-cert"].map(fixture) as [string, string, string];
    const encrypted = await TestServer.start({ tls: { cert, key } });
    try {
      const url = encrypted.url.replace("127.0.0.1", "localhost");
      const refused = async (at: string, tls: PostgresTls, message: RegExp): Promise<void> => {
        const error: unknown = await openStore({ url: at, tls }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "UNAVAILABLE", message: matching(message) });
      };
      await refused(url, {}, /DEPTH_ZERO_SELF_SIGNED_CERT.*tls\.ca/);
      await refused(url, { ca: other }, /CERT|ERR_TLS/);
      await refused(encrypted.url, { ca: cert, servername: "example.com" }, /ERR_TLS_CERT_ALTNAME_INVALID.*name/);
      const { store } = await openStore({ url, tls: { ca: cert } });
      const sessions = await encrypted.sql("SELECT ssl FROM pg_stat_ssl WHERE pid <> pg_backend_pid()");
      expect(sessions).toContainEqual({ ssl: true });
      await store.close();
    } finally {
      await encrypted.stop();
    }
  });

  it("P13 a server without encryption is refused unless that is asked for", async () => {
    const error: unknown = await openStore({ url: test.url, tls: {} }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: matching(/NO_TLS.*tls: false/) });
    const { store } = await openStore({ url: test.url, tls: false, schema: test.newSchema() });
    await store.close();
  });
});

describe("calls", () => {
  it("P12 a second open is a TypeError, and the store goes on", async () => {
    const { store } = await openStore({ url: test.url, schema: test.newSchema() });
    await expect(store.open(SCOPE, newFence())).rejects.toThrow(TypeError);
    await store.apply(markOf(1), puts("1"));
    await store.close();
  });

  it("P14 keys of any length are kept in their order", async () => {
    const { store } = postgres({ url: test.url, schema: test.newSchema() });
    const handle = store.create();
    await handle.open(SCOPE, newFence());
    const head = "h".repeat(1022);
    const rests = [
      "",
      "a",
      head,
      `${head}\0`,
      `${head}a`,
      `${head}b`,
      `${head}b\xff`,
      `${head}${"c".repeat(70_000)}`,
      `${head}d`,
      `${"h".repeat(1021)}i`,
    ];
    const keys = rests.map((rest) => keyOf(1, rest));
    const changes = keys.map((key) => ({ kind: "put", key, value: Buffer.from(String(key.length)) }) as const);
    const delta = (all: readonly import("@tidemark/core").Change[]) => ({
      async *[Symbol.asyncIterator]() {
        yield all;
      },
    });
    await handle.apply(markOf(1), delta(changes));
    const scanned = async (start = keyOf(0, ""), end = keyOf(8, "")): Promise<string[]> => {
      const found: string[] = [];
      for await (const chunk of handle.scan({ start, end })) found.push(...chunk.map(({ key }) => key));
      return found;
    };
    expect(await scanned()).toEqual(keys);
    for (const [index, start] of keys.entries()) {
      const end = keys[index + 3] ?? keyOf(2, "");
      expect(await scanned(start, end)).toEqual(keys.slice(index, index + 3));
    }
    const values = await handle.getMany(keys);
    expect(values.map((value) => Buffer.from(value as Uint8Array).toString())).toEqual(
      keys.map((key) => String(key.length)),
    );
    await handle.apply(
      markOf(2),
      delta([
        { kind: "clear", prefix: keyOf(1, `${head}b`) },
        { kind: "delete", key: keyOf(1, `${head}d`) },
      ]),
    );
    const rest = keys.filter((key) => !key.startsWith(keyOf(1, `${head}b`)) && key !== keyOf(1, `${head}d`));
    expect(await scanned()).toEqual(rest);
    await handle.close();
  });
});
