/** The laws of the conformance kit, on a server that this file starts. The kit's names of tests quote the clauses. */

import type { BackendHarness, StoreAdapterHarness } from "@tidemark/conformance";
import { conformance } from "@tidemark/conformance/vitest";
import type { CheckpointStorage, Store } from "@tidemark/core";
import { afterAll } from "vitest";
import { migratePostgres, postgres, postgresStorage } from "../src/index.js";
import { CHUNK_BYTES } from "../src/object-body.js";
import { FailingPool } from "./support/failing-pool.js";
import { TestServer } from "./support/servers.js";

// The laws kill processes, not the machine: nothing has to be on the disk.
const test = await TestServer.start({ settings: { fsync: "off" } });
afterAll(() => test.stop());

const shared = test.pool({ max: 8 });
const common = { onWarning: () => undefined, migrate: false } as const;

/** A schema; each handle is a process with a connection of its own. */
interface SchemaPlace {
  readonly schema: string;
  readonly processes: Map<CheckpointStorage, FailingPool>;
}

const backend = postgres({ pool: shared, schema: "working", cacheBytes: 4096, onWarning: () => undefined });

const everything: BackendHarness<SchemaPlace> = {
  contract: "backend",
  name: "PostgreSQL",
  capabilities: { durable: true },
  async create() {
    const schema = test.newSchema();
    await migratePostgres({ pool: shared, schema, onWarning: () => undefined });
    return { schema, processes: new Map() };
  },
  reopen({ schema, processes }) {
    const pool = new FailingPool(shared);
    const storage = postgresStorage({ pool, schema, ...common });
    processes.set(storage, pool);
    return storage;
  },
  backend: () => backend,
  destroy: async ({ schema }) => void (await test.sql(`DROP SCHEMA ${schema} CASCADE`)),
  advance: () => undefined,
  crash: ({ processes }, handle) => processes.get(handle)?.kill(),
  async readBack({ schema }, name) {
    const [row] = await test.sql(
      `SELECT coalesce((SELECT string_agg(body, ''::bytea ORDER BY chunk) FROM ${schema}.tidemark_chunk c
         WHERE c.object_id = o.object_id), ''::bytea) AS body FROM ${schema}.tidemark_object o WHERE name = $1`,
      [name],
    );
    return row?.["body"] as Uint8Array | undefined;
  },
  async corrupt({ schema }, name, bytes) {
    const object = `(SELECT object_id FROM ${schema}.tidemark_object WHERE name = $1)`;
    await test.sql(`DELETE FROM ${schema}.tidemark_chunk WHERE object_id = ${object}`, [name]);
    if (bytes === undefined) {
      await test.sql(`DELETE FROM ${schema}.tidemark_object WHERE name = $1`, [name]);
      return;
    }
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const piece = Buffer.from(bytes.subarray(at, at + CHUNK_BYTES));
      await test.sql(`INSERT INTO ${schema}.tidemark_chunk SELECT ${object}, $2, $3`, [name, at / CHUNK_BYTES, piece]);
    }
    await test.sql(`UPDATE ${schema}.tidemark_object SET bytes = $2 WHERE name = $1`, [name, bytes.length]);
  },
  faults: ({ processes }, nth) => ([...processes.values()].at(-1) as FailingPool).failAt(nth),
};

/** What goes before the names of jobs; each handle is a process. */
interface NamedPlace {
  readonly prefix: string;
  readonly processes: Map<Store, FailingPool>;
}

let places = 0;
const store: StoreAdapterHarness<NamedPlace> = {
  contract: "store",
  name: "PostgreSQL",
  capabilities: { durable: true },
  create: () => ({ prefix: `place ${++places}: `, processes: new Map() }),
  reopen({ prefix, processes }) {
    const pool = new FailingPool(shared);
    const handle = postgres({ pool, schema: "working", ...common, migrate: true }).store.create();
    processes.set(handle, pool);
    const { open } = handle;
    const named: Store["open"] = (scope, fence) => open.call(handle, { ...scope, job: prefix + scope.job }, fence);
    return Object.assign(handle, { open: named });
  },
  crash: ({ processes }, handle) => processes.get(handle)?.kill(),
};

/** Those of jobs that look at most things at once; the others are left to a run with TIDEMARK_RUNS. */
const jobs = ["any-history", "exactly-once", "two-lives", "same-savepoints"];
const objects = Array.from({ length: 11 }, (_, index) => `CS${index + 1}`);

conformance(everything, process.env["TIDEMARK_RUNS"] === undefined ? { only: [...objects, ...jobs] } : {});
conformance(store);
