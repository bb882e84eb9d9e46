/** For the command line of the kit: `tidemark-conformance verify packages/postgres/test/harness.mjs`, and `--export store`. */

import pg from "pg";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { postgres, postgresStorage } from "../dist/index.js";

const common = { onWarning: () => undefined };
let places = 0;
let starting;

/** A server of our own, from the first place on; it ends with this process. Laws kill processes, not the machine: no fsync. */
async function newPool() {
  starting ??= startPostgres({ settings: { fsync: "off" } }).then(({ url }) => {
    const pool = new pg.Pool({ connectionString: url, max: 8 });
    pool.on("error", () => undefined);
    return pool;
  });
  return starting;
}

let working;

export const harness = {
  name: "postgres",
  contract: "backend",
  inapplicable: {
    faults: "packages/postgres/test/conformance.test.ts fails questions and connections",
    crash: "packages/postgres/test/conformance.test.ts kills the processes of handles",
    corrupt: "packages/postgres/test/conformance.test.ts changes rows",
    readBack: "packages/postgres/test/conformance.test.ts reads rows",
  },
  async create() {
    working = await newPool();
    return { pool: working, schema: `s${++places}` };
  },
  reopen: ({ pool, schema }) => postgresStorage({ pool, schema, ...common }),
  backend: () => postgres({ pool: working, schema: `s${++places}`, cacheBytes: 4096, ...common }),
  destroy: ({ pool, schema }) => void pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).catch(() => undefined),
  advance: () => {},
};

export const store = {
  name: "postgres",
  contract: "store",
  create: async () => ({ pool: await newPool(), schema: `s${++places}` }),
  reopen: ({ pool, schema }) => postgres({ pool, schema, ...common }).store.create(),
  // What a process had sent is done by the server, dead or not; no later call comes.
  crash: () => {},
  destroy: ({ pool, schema }) => void pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).catch(() => undefined),
};
