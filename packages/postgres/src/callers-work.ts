/** Statements of the caller's within a transaction of ours. */

import type { Session } from "./database.js";
import type { PostgresClient } from "./pg-shapes.js";

/** Writes results on a connection that is within a transaction. May be called again, if the transaction is made again. */
export type TransactionWork = (client: PostgresClient) => Promise<void>;

/**
 * Does `work`, which finds names by the `search_path` of its role, as in a transaction of its own.
 * @throws {TypeError} if it has ended the transaction
 * @throws what `work` throws
 */
export async function doWork(session: Session, work: TransactionWork): Promise<void> {
  const before = await transactionId(session);
  await session.query("SET LOCAL search_path TO DEFAULT");
  await work(session.client);
  if ((await transactionId(session)) !== before) {
    throw new TypeError(
      "The work has ended the transaction. Leave BEGIN, COMMIT and ROLLBACK out: its writes count when the checkpoint does.",
    );
  }
  await session.query("SET LOCAL search_path = ''");
}

async function transactionId(session: Session): Promise<string | null | undefined> {
  const { rows } = await session.query("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text");
  return rows[0]?.[0];
}
