/**
 * The tables and their versions.
 *
 * Invariants:
 * - A version, once released, is never changed: what changes is added as another one.
 * - All happens in one transaction, one process at a time: of any number that start together one migrates, the others find it done.
 */

import { quoted, StateBackendError } from "@tidemark/core";
import type { Database, Session } from "./database.js";
import type { Tables } from "./tables.js";

/** What each version adds, oldest first. */
const MIGRATIONS: readonly ((tables: Tables) => readonly string[])[] = [versionOne];

/** The version that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The columns that must be there, in the order of the catalog's names. */
const COLUMNS: Readonly<Record<string, string>> = Object.freeze({
  tidemark_applied:
    "checkpoint:int8 first_group:int4 last_group:int4 next_checkpoint:int8 next_tag:bytea scope_id:int4 tag:bytea",
  tidemark_chunk: "body:bytea chunk:int4 object_id:uuid",
  tidemark_entry: "key:bytea scope_id:int4 tail:bytea value:bytea",
  tidemark_object: "bytes:int8 chunk_bytes:int4 digest:bytea name:text object_id:uuid",
  tidemark_owner: "epoch:int8 groups:int4multirange nonce:bytea owner_id:int8 scope_id:int4 seq:int8",
  tidemark_scope: "digest:bytea job:bytea max_parallelism:int4 operator:bytea scope_id:int4",
  tidemark_upload: "object_id:uuid started_at:timestamptz",
  tidemark_version: "applied_at:timestamptz version:int4",
});

function versionOne(t: Tables): readonly string[] {
  return [
    `CREATE TABLE ${t.scope} (
      scope_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      digest bytea NOT NULL UNIQUE, job bytea NOT NULL, operator bytea NOT NULL, max_parallelism integer NOT NULL)`,
    `CREATE TABLE ${t.owner} (
      owner_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      scope_id integer NOT NULL REFERENCES ${t.scope} ON DELETE CASCADE,
      epoch bigint NOT NULL, nonce bytea NOT NULL, seq bigint NOT NULL, groups int4multirange NOT NULL) WITH (fillfactor = 50)`,
    `CREATE INDEX ON ${t.owner} (scope_id)`,
    `CREATE TABLE ${t.applied} (
      scope_id integer NOT NULL REFERENCES ${t.scope} ON DELETE CASCADE,
      first_group integer NOT NULL, last_group integer NOT NULL, checkpoint bigint NOT NULL, tag bytea NOT NULL,
      next_checkpoint bigint, next_tag bytea, PRIMARY KEY (scope_id, first_group)) WITH (fillfactor = 50)`,
    `CREATE TABLE ${t.entry} (
      scope_id integer NOT NULL, key bytea NOT NULL, tail bytea, value bytea NOT NULL, PRIMARY KEY (scope_id, key))
      WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05)`,
    // Bytes are not compressed: that costs more time than it saves, and segments are compressed already.
    `ALTER TABLE ${t.entry} ALTER COLUMN value SET STORAGE EXTERNAL`,
    `CREATE TABLE ${t.object} (
      name text COLLATE "C" PRIMARY KEY, object_id uuid NOT NULL UNIQUE,
      bytes bigint NOT NULL, chunk_bytes integer NOT NULL, digest bytea NOT NULL)`,
    `CREATE TABLE ${t.chunk} (
      object_id uuid NOT NULL, chunk integer NOT NULL, body bytea NOT NULL, PRIMARY KEY (object_id, chunk))`,
    `ALTER TABLE ${t.chunk} ALTER COLUMN body SET STORAGE EXTERNAL`,
    `CREATE TABLE ${t.upload} (object_id uuid PRIMARY KEY, started_at timestamptz NOT NULL)`,
  ];
}

/**
 * Makes the tables, or brings them up to date. Safe to repeat, and by any number of processes at once.
 * @throws {StateBackendError} UNAVAILABLE if this role may not, STATE_INCOMPATIBLE if the schema has other tables of these names,
 *   FORMAT_UNSUPPORTED if a newer version has made it. Nothing is changed then.
 */
export async function migrate(database: Database, tables: Tables): Promise<void> {
  await database.transaction({ doing: "Making the tables" }, async (session) => {
    await session.query("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 7461646))", [
      tables.schema,
    ]);
    const found = await versionOf(session, tables);
    checkVersion(found, tables);
    if (found === SCHEMA_VERSION) return;
    if (found === 0) {
      // Only where it is missing: a role that may make tables in a schema need not be one that may make schemas.
      const schemas = await session.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [
        tables.schemaName,
      ]);
      if (schemas.count === 0) await session.query(`CREATE SCHEMA ${tables.schema}`);
      await session.query(
        `CREATE TABLE ${tables.version} (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT pg_catalog.now())`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < found) continue;
      for (const statement of migration(tables)) await session.query(statement);
      await session.query(`INSERT INTO ${tables.version} (version) VALUES ($1)`, [index + 1]);
    }
  });
}

/** What must be the case before anything is read or written. Resolves to whether the tables are there. */
export async function checkTables(database: Database, tables: Tables): Promise<boolean> {
  const doing = "Looking at the tables";
  const { rows } = await database.read(
    doing,
    `SELECT c.relname, pg_catalog.string_agg(a.attname || ':' || t.typname, ' ' ORDER BY a.attname COLLATE "C")
     FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
       JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
       JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
     WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) ANY ($2)
       AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
     GROUP BY c.relname`,
    [tables.schemaName, Object.keys(COLUMNS)],
  );
  const found = new Map(rows.map(([name, columns]) => [name as string, columns as string]));
  if (!found.has("tidemark_version")) return false;
  const { rows: versions } = await database.read(
    doing,
    `SELECT pg_catalog.max(version)::text FROM ${tables.version}`,
    [],
  );
  const version = Number(versions[0]?.[0] ?? 0);
  checkVersion(version, tables);
  if (version < SCHEMA_VERSION) return false;
  for (const [table, columns] of Object.entries(COLUMNS)) checkColumns(table, columns, found.get(table));
  return true;
}

async function versionOf(session: Session, tables: Tables): Promise<number> {
  const { count } = await session.query(
    "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
    [tables.schemaName, "tidemark_version"],
  );
  if (count === 0) return 0;
  const { rows } = await session.query(`SELECT pg_catalog.max(version)::text FROM ${tables.version}`);
  return Number(rows[0]?.[0] ?? 0);
}

function checkVersion(found: number, { schemaName }: Tables): void {
  if (found <= SCHEMA_VERSION) return;
  throw new StateBackendError(
    "FORMAT_UNSUPPORTED",
    `The tables are of a newer version. schema=${quoted(schemaName)} version=${found} supported=${SCHEMA_VERSION}. Use the version of Tidemark that made them, or another schema.`,
  );
}

function checkColumns(table: string, expected: string, found: string | undefined): void {
  // A column more is no harm: whoever added it knows why.
  const columns = new Set(found?.split(" "));
  const missing = expected.split(" ").filter((column) => !columns.has(column));
  if (missing.length === 0) return;
  throw new StateBackendError(
    "STATE_INCOMPATIBLE",
    `A table is not as Tidemark made it. table=${quoted(table)} missing=${missing.join(",")}. Restore it from a backup, or use another schema.`,
  );
}
