/**
 * Stores the body of an object, and then its name.
 *
 *   body of one piece     one transaction: piece and name
 *   longer                upload row ─▶ pieces, each a transaction ─▶ one transaction: upload row deleted, name
 *
 * Invariants:
 * - A body is there when its name is: what was stored of a body without a name belongs to an upload, and goes with that.
 * - Work of the caller's begins when the name is surely free, and those who have it are not fenced: it never runs twice for one object.
 * - An upload that was swept away cannot be finished: its row is gone, and the last transaction asks for it.
 * - No connection is kept while the body is waited for: it may be read through the same pool.
 */

import { createHash } from "node:crypto";
import {
  type NameGuard,
  type PutOutcome,
  quoted,
  type Random,
  StateBackendError,
  type TransactionalOutcome,
  type TransactionalPut,
} from "@tidemark/core";
import { doWork, holdName, lockName, labelOfHolder, WorkFailure } from "./callers-work.js";
import { type Rows, type Session, UnknownOutcome } from "./database.js";
import { endSessions } from "./hanging-sessions.js";
import { type Body, CHUNK_BYTES, chunksOf } from "./object-body.js";
import type { PostgresTransaction } from "./pg-shapes.js";
import type { Place } from "./place.js";
import { isLockTimeout } from "./postgres-error.js";
import { bytesOfHex } from "./stored-value.js";
import type { Tables } from "./tables.js";

/** An object that is about to get its name. */
export interface NewObject {
  readonly name: string;
  readonly objectId: string;
  readonly bytes: number;
  readonly digest: Buffer;
}

export interface UploadOptions {
  readonly ifAbsent: boolean;
  readonly random: Random;
  /** What is done in the transaction that gives the object its name: it counts if and only if this put has created the object. */
  readonly with?: TransactionalPut<PostgresTransaction>;
}

const DOING = "Put";

/** Stores `body` and names it. */
export async function upload(
  place: Place,
  name: string,
  body: Body,
  { ifAbsent, random, with: extra }: UploadOptions,
): Promise<TransactionalOutcome> {
  const objectId = uuid(random);
  const hash = createHash("sha256");
  let bytes = 0;
  let pending: Buffer | undefined;
  let count = 0;
  try {
    for await (const chunk of chunksOf(body)) {
      hash.update(chunk);
      bytes += chunk.length;
      if (pending !== undefined) await store(place, objectId, count++, pending);
      pending = chunk;
    }
    const object: NewObject = { name, objectId, bytes, digest: hash.digest() };
    const { tables } = place;
    const outcome = await named(place, object, extra?.guard, async (session) => {
      if (extra?.guard !== undefined && !(await holdName(session, tables, extra.guard, objectId))) return "refused";
      if (count > 0) await endUpload(session, tables, objectId);
      if (pending !== undefined) await insertChunk(session, tables, { objectId, index: count, body: pending });
      if (extra !== undefined) {
        if (!(await lockName(session, tables, name, objectId))) return "exists";
        await doWork(session, extra.work);
      }
      return (await insertObject(session, tables, object)) ? "created" : "exists";
    });
    if (outcome === "created") return outcome;
    if (count > 0) await abandon(place, objectId);
    return outcome === "refused" ? outcome : await compared(place, object, ifAbsent);
  } catch (error) {
    if (count > 0) await abandon(place, objectId);
    throw error;
  }
}

/**
 * Gives the object its name, within a transaction of the caller's. Resolves to whether the name was free.
 * @throws {RangeError} if the name continues another, or another continues it
 */
export async function insertObject(session: Session, tables: Tables, object: NewObject): Promise<boolean> {
  const { name, objectId, bytes, digest } = object;
  const parts = name.split("/");
  const above = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
  const others = await session.query(
    `SELECT name FROM ${tables.object} WHERE name = ANY ($1) OR (name > $2 AND name < $3) LIMIT 1`,
    [above, `${name}/`, `${name}0`],
  );
  const other = others.rows[0]?.[0];
  if (other !== undefined) {
    throw new RangeError(
      `Object name refused. name=${quoted(name)} stored=${quoted(String(other))}. No name may continue another.`,
    );
  }
  const { count } = await session.query(
    `INSERT INTO ${tables.object} (name, object_id, bytes, chunk_bytes, digest) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) DO NOTHING`,
    [name, objectId, bytes, CHUNK_BYTES, digest],
  );
  return count === 1;
}

/** Removes what uploads have left that began more than a day ago: of processes that died. */
export async function sweepUploads({ database, tables }: Place): Promise<void> {
  const { rows } = await database.read(
    "Looking for abandoned uploads",
    `SELECT object_id::pg_catalog.text FROM ${tables.upload}
     WHERE started_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '1 day'::pg_catalog.interval) LIMIT 1000`,
    [],
  );
  for (const [objectId] of rows) {
    await database.transaction({ doing: "Removing an abandoned upload" }, (session) =>
      removeUpload(session, tables, objectId as string),
    );
  }
}

/**
 * Names the object in a transaction of its own, which is rolled back unless the outcome is `created`. Who hangs with the name in a transaction is ended:
 * it is one that was taken over.
 */
async function named(
  place: Place,
  object: NewObject,
  guard: NameGuard | undefined,
  work: (session: Session) => Promise<TransactionalOutcome>,
): Promise<TransactionalOutcome> {
  const label = guard === undefined ? {} : { label: labelOfHolder(place.tables, guard.next) };
  const attempt = async (): Promise<TransactionalOutcome> => {
    try {
      return await place.database.transaction({ doing: DOING, ...label }, async (session) => {
        const outcome = await work(session);
        if (outcome !== "created") throw new NotCreated(outcome);
        return outcome;
      });
    } catch (error) {
      if (error instanceof NotCreated) return error.outcome;
      throw error instanceof WorkFailure ? error.thrown : error;
    }
  };
  try {
    try {
      return await attempt();
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      await endSessions(place, [labelOfHolder(place.tables, object.name)], { onlyIdle: false });
      return await attempt();
    }
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) throw error;
    const existing = await found(place, object.name).catch(() => undefined);
    if (existing?.objectId === object.objectId) return "created";
    throw new StateBackendError(
      "UNAVAILABLE",
      "Put failed: the connection was lost while it committed, and the outcome is not known. Repeat the call.",
      { outcome: "unknown", cause: error },
    );
  }
}

class NotCreated extends Error {
  readonly outcome: TransactionalOutcome;

  constructor(outcome: TransactionalOutcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

async function store(place: Place, objectId: string, index: number, body: Buffer): Promise<void> {
  const { database, tables } = place;
  try {
    await database.transaction({ doing: DOING }, async (session) => {
      if (index === 0) {
        await session.query(`INSERT INTO ${tables.upload} (object_id, started_at) VALUES ($1, now())`, [objectId]);
      } else {
        const { count } = await session.query(`SELECT 1 FROM ${tables.upload} WHERE object_id = $1 FOR KEY SHARE`, [
          objectId,
        ]);
        if (count === 0) throw swept();
      }
      await insertChunk(session, tables, { objectId, index, body });
    });
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) throw error;
    throw new StateBackendError(
      "UNAVAILABLE",
      "Put failed: the connection was lost. Nothing was stored; repeat the call.",
      {
        cause: error,
      },
    );
  }
}

async function insertChunk(
  session: Session,
  tables: Tables,
  { objectId, index, body }: { readonly objectId: string; readonly index: number; readonly body: Buffer },
): Promise<void> {
  await session.query(`INSERT INTO ${tables.chunk} (object_id, chunk, body) VALUES ($1, $2, $3)`, [
    objectId,
    index,
    body,
  ]);
}

async function endUpload(session: Session, tables: Tables, objectId: string): Promise<void> {
  const { count } = await session.query(`DELETE FROM ${tables.upload} WHERE object_id = $1`, [objectId]);
  if (count === 0) throw swept();
}

/** What cannot be removed now is swept away later. */
async function abandon({ database, tables }: Place, objectId: string): Promise<void> {
  try {
    await database.transaction({ doing: "Removing an upload" }, (session) => removeUpload(session, tables, objectId));
  } catch (error) {
    if (!(error instanceof UnknownOutcome) && !(error instanceof StateBackendError)) throw error;
  }
}

async function removeUpload(session: Session, tables: Tables, objectId: string): Promise<void> {
  const { count }: Rows = await session.query(`DELETE FROM ${tables.upload} WHERE object_id = $1`, [objectId]);
  // Without the row the pieces are an object's by now.
  if (count > 0) await session.query(`DELETE FROM ${tables.chunk} WHERE object_id = $1`, [objectId]);
}

interface FoundObject {
  readonly objectId: string;
  readonly bytes: number;
  readonly digest: Buffer;
}

async function found({ database, tables }: Place, name: string): Promise<FoundObject | undefined> {
  const { rows } = await database.read(
    DOING,
    `SELECT object_id::pg_catalog.text, bytes::pg_catalog.text, digest FROM ${tables.object} WHERE name OPERATOR(pg_catalog.=) $1`,
    [name],
  );
  const row = rows[0] as readonly [string, string, string] | undefined;
  return row === undefined ? undefined : { objectId: row[0], bytes: Number(row[1]), digest: bytesOfHex(row[2]) };
}

/** What a put means whose name is taken. */
async function compared(place: Place, object: NewObject, ifAbsent: boolean): Promise<PutOutcome> {
  if (ifAbsent) return "exists";
  const existing = await found(place, object.name);
  if (existing === undefined) {
    throw new StateBackendError(
      "UNAVAILABLE",
      "Put failed: another object of this name came and went. Repeat the call.",
    );
  }
  if (existing.bytes === object.bytes && existing.digest.equals(object.digest)) return "created";
  throw new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `There is an object of other content under this name, and it was not touched. name=${quoted(object.name)}. Find out who wrote it: names are used once.`,
  );
}

function swept(): Error {
  return new StateBackendError(
    "UNAVAILABLE",
    "Put failed: it took more than a day, and was given up. Repeat the call.",
  );
}

function uuid(random: Random): string {
  return Buffer.from(random.bytes(16))
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
