/** Harnesses for the conformance kit, on a pool to a server. See `harnesses.d.mts`. */

import { Buffer } from "node:buffer";
import { FailingPool } from "./failing-pool.mjs";

const CHUNK_BYTES = 512 * 1024;

export function backendHarness({ migratePostgres, postgres, postgresStorage }, shared) {
  const onWarning = () => undefined;
  let backends = 0;
  const sql = async (text, values = []) => (await shared.query(text, values)).rows;
  let schemas = 0;
  return {
    contract: "backend",
    name: "PostgreSQL",
    capabilities: { durable: true, transactions: true },
    async create() {
      const schema = `place_${++schemas}`;
      await migratePostgres({ pool: shared, schema, onWarning });
      await sql(`CREATE TABLE ${schema}.result (result text NOT NULL)`);
      return { schema, processes: new Map() };
    },
    reopen({ schema, processes }) {
      const pool = new FailingPool(shared);
      const storage = postgresStorage({ pool, schema, onWarning, migrate: false });
      processes.set(storage, pool);
      return storage;
    },
    // Its working state is empty, and nobody else's.
    backend: () => postgres({ pool: shared, schema: `working_${++backends}`, cacheBytes: 4096, onWarning }),
    destroy: async ({ schema }) => void (await sql(`DROP SCHEMA ${schema} CASCADE`)),
    advance: () => undefined,
    crash: ({ processes }, handle) => processes.get(handle)?.kill(),
    async readBack({ schema }, name) {
      const [row] = await sql(
        `SELECT coalesce((SELECT string_agg(body, ''::bytea ORDER BY chunk) FROM ${schema}.tidemark_chunk c
           WHERE c.object_id = o.object_id), ''::bytea) AS body FROM ${schema}.tidemark_object o WHERE name = $1`,
        [name],
      );
      return row?.body;
    },
    async corrupt({ schema }, name, bytes) {
      const object = `(SELECT object_id FROM ${schema}.tidemark_object WHERE name = $1)`;
      await sql(`DELETE FROM ${schema}.tidemark_chunk WHERE object_id = ${object}`, [name]);
      if (bytes === undefined) {
        await sql(`DELETE FROM ${schema}.tidemark_object WHERE name = $1`, [name]);
        return;
      }
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const piece = Buffer.from(bytes.subarray(at, at + CHUNK_BYTES));
        await sql(`INSERT INTO ${schema}.tidemark_chunk SELECT ${object}, $2, $3`, [name, at / CHUNK_BYTES, piece]);
      }
      await sql(`UPDATE ${schema}.tidemark_object SET bytes = $2 WHERE name = $1`, [name, bytes.length]);
    },
    writeResult: async ({ schema }, client, result) =>
      void (await client.query(`INSERT INTO ${schema}.result VALUES ($1)`, [result])),
    readResults: async ({ schema }) => (await sql(`SELECT result FROM ${schema}.result`)).map(({ result }) => result),
    faults: ({ processes }, nth) => [...processes.values()].at(-1).failAt(nth),
  };
}

export function storeAdapterHarness({ postgres }, shared) {
  let places = 0;
  return {
    contract: "store",
    name: "PostgreSQL",
    capabilities: { durable: true },
    create: () => ({ prefix: `place ${++places}: `, processes: new Map() }),
    reopen({ prefix, processes }) {
      const pool = new FailingPool(shared);
      const handle = postgres({ pool, schema: "working", onWarning: () => undefined }).store.create();
      processes.set(handle, pool);
      const { open } = handle;
      const named = (scope, fence) => open.call(handle, { ...scope, job: prefix + scope.job }, fence);
      return Object.assign(handle, { open: named });
    },
    crash: ({ processes }, handle) => processes.get(handle)?.kill(),
  };
}
