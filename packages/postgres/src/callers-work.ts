/**
 * Statements of the caller's within a transaction of ours.
 *
 * Invariants:
 * - Whoever locks a name has it until the transaction ends: others that create the name wait for that, and then see what was done.
 * - What the work throws passes as it is, unless it is for the transaction to be made again, or the connection is gone.
 */

import { createHash } from "node:crypto";
import type { NameGuard, TransactionalPut } from "@tidemark/core";
import type { Session } from "./database.js";
import type { PostgresTransaction } from "./pg-shapes.js";
import { isConnectionLoss, isRepeatable } from "./postgres-error.js";
import type { Tables } from "./tables.js";

/** Writes results on a connection that is within a transaction. May be called again, if the transaction is made again. */
export type TransactionWork = TransactionalPut<PostgresTransaction>["work"];

/** What the work threw. */
export class WorkFailure extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super("The work within a transaction failed.", { cause: thrown });
    this.thrown = thrown;
  }
}

/**
 * Does `work`, which finds names by the `search_path` of its role, as in a transaction of its own.
 * @throws {WorkFailure} if it throws, or has ended the transaction
 */
export async function doWork(session: Session, work: TransactionWork): Promise<void> {
  const before = await transactionId(session);
  await session.query("SET LOCAL search_path TO DEFAULT");
  try {
    await work(session.client as unknown as PostgresTransaction);
  } catch (error) {
    throw isRepeatable(error) || isConnectionLoss(error) ? error : new WorkFailure(error);
  }
  if ((await transactionId(session)) !== before) {
    throw new WorkFailure(
      new TypeError(
        "The work has ended the transaction. Leave BEGIN, COMMIT and ROLLBACK out: its writes count when the checkpoint does.",
      ),
    );
  }
  await session.query("SET LOCAL search_path = ''");
}

/**
 * Makes sure that `last` is the last name in its folder, and that nobody creates `next` before the transaction has ended.
 * Resolves to whether that is so. `objectId` is of an object that is about to be made.
 */
export async function holdName(
  session: Session,
  tables: Tables,
  { last, next }: NameGuard,
  objectId: string,
): Promise<boolean> {
  if (!(await lockName(session, tables, next, objectId))) return false;
  const folder = last.slice(0, last.lastIndexOf("/"));
  const { rows } = await session.query(
    `SELECT name FROM ${tables.object} WHERE name > $1 AND name < $2 ORDER BY name DESC LIMIT 1`,
    [`${folder}/`, `${folder}0`],
  );
  return rows[0]?.[0] === last;
}

/**
 * Keeps a name that is free from being created by others until the transaction has ended; resolves to whether it is free. Not created, so that work which
 * commits by itself does not create it either.
 */
export async function lockName(session: Session, tables: Tables, name: string, objectId: string): Promise<boolean> {
  // The unique index is the lock: who creates the same name waits for this transaction to end.
  const { count } = await session.query(
    `INSERT INTO ${tables.object} (name, object_id, bytes, chunk_bytes, digest) VALUES ($1, $2, 0, 1, $3)
     ON CONFLICT (name) DO NOTHING`,
    [name, objectId, createHash("sha256").digest()],
  );
  if (count === 0) return false;
  await session.query(`DELETE FROM ${tables.object} WHERE name = $1`, [name]);
  return true;
}

/** What the server shows of a transaction that holds `name`. */
export function labelOfHolder({ schemaName }: Tables, name: string): string {
  return `tidemark-put-${createHash("sha256").update(`${schemaName}.${name}`).digest("hex").slice(0, 32)}`;
}

async function transactionId(session: Session): Promise<string | null | undefined> {
  const { rows } = await session.query("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text");
  return rows[0]?.[0];
}
