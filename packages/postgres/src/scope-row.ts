/** The row of a scope: names of any content are told apart by a hash, and kept for people. */

import { createHash } from "node:crypto";
import type { TaskScope } from "@tidemark/core";
import type { Session } from "./database.js";
import type { Tables } from "./tables.js";

/** What a scope is found by. */
export function scopeDigest({ job, operator, maxParallelism }: TaskScope): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([job, operator, maxParallelism]))
    .digest();
}

/** The id of the scope, made if it is new. The row is locked until the transaction ends, so that one at a time takes over. */
export async function scopeRow(session: Session, { scope: table }: Tables, scope: TaskScope): Promise<string> {
  const { job, operator, maxParallelism } = scope;
  const digest = scopeDigest(scope);
  await session.query(
    `INSERT INTO ${table} (digest, job, operator, max_parallelism) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING`,
    [digest, Buffer.from(job), Buffer.from(operator), maxParallelism],
  );
  const { rows } = await session.query(`SELECT scope_id::text FROM ${table} WHERE digest = $1 FOR UPDATE`, [digest]);
  return rows[0]?.[0] as string;
}
