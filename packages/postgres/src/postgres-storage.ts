/**
 * Checkpoints in the tables of a schema: an object is a row with its name, and its body in pieces.
 *
 * @see docs/contract.md CS1
 */

import {
  type ByteRange,
  Calls,
  type CheckpointStorage,
  partsOfObjectName,
  partsOfObjectPrefix,
  type PutOptions,
  type PutOutcome,
  quoted,
  type Random,
  StateBackendError,
  type StoredObject,
  type TransactionalOutcome,
  type TransactionalPut,
} from "@tidemark/core";
import { UnknownOutcome } from "./database.js";
import type { Body } from "./object-body.js";
import type { PostgresTransaction } from "./pg-shapes.js";
import { sweepUploads, upload, type UploadOptions } from "./object-upload.js";
import type { Place } from "./place.js";
import type { PoolSource } from "./pool-source.js";
import { bytesOfHex } from "./stored-value.js";

export interface StorageParts {
  readonly place: Place;
  readonly source: PoolSource;
  /** Names bodies. */
  readonly random: Random;
}

const LIST_ROWS = 1_000;
const REMOVE_NAMES = 200;
const REFUSAL = "Checkpoint storage is closed. Open another one.";

export class PostgresStorage implements CheckpointStorage<PostgresTransaction> {
  readonly #parts: StorageParts;
  readonly #calls = new Calls(REFUSAL);
  #isJoined = false;
  #hasSwept = false;

  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  async put(name: string, body: Body, options?: PutOptions): Promise<PutOutcome> {
    const outcome = await this.#put(name, body, { ifAbsent: options?.ifAbsent === true });
    return outcome === "created" ? outcome : "exists";
  }

  /**
   * As `put` with `ifAbsent`, and `work` in the transaction that creates the object: what it writes is there if and only if this call has created
   * the object. If the outcome is unknown, it is so for both: repeat the call.
   * @throws what `work` throws; nothing is stored then
   */
  putWith(name: string, body: Body, put: TransactionalPut<PostgresTransaction>): Promise<TransactionalOutcome> {
    for (const guarded of put.guard === undefined ? [] : [put.guard.last, put.guard.next]) partsOfObjectName(guarded);
    return this.#put(name, body, { ifAbsent: true, with: put });
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    partsOfObjectName(name);
    if (range !== undefined) checkRange(range);
    const { object, start, end, first } = await this.#calls.run(() => this.#begin(name, range));
    if (first === undefined) return;
    yield first;
    for (let at = start + first.length; at < end; ) {
      const piece = Math.floor(at / object.chunkBytes);
      const chunk = await this.#calls.run(() => this.#piece(name, object, { piece, from: at, to: end }));
      if (chunk === undefined) throw notFound(name);
      yield chunk;
      at += chunk.length;
    }
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    partsOfObjectPrefix(prefix);
    // "0" comes after "/", and no name begins with "{".
    const end = prefix === "" ? "{" : `${prefix.slice(0, -1)}0`;
    let after = prefix;
    while (true) {
      const from = after;
      const rows = await this.#calls.run(async () => {
        const { database, tables } = await this.#ready();
        const page = await database.read(
          "List",
          `SELECT name, bytes::pg_catalog.text FROM ${tables.object}
           WHERE name OPERATOR(pg_catalog.>) $1 AND name OPERATOR(pg_catalog.<) $2 ORDER BY name LIMIT ${LIST_ROWS}`,
          [from, end],
        );
        return page.rows as readonly (readonly [string, string])[];
      });
      for (const [name, bytes] of rows) yield { name, bytes: Number(bytes) };
      const last = rows.at(-1);
      if (last === undefined || rows.length < LIST_ROWS) return;
      after = last[0];
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) partsOfObjectName(name);
    await this.#calls.run(async () => {
      const { database, tables } = await this.#ready();
      for (let first = 0; first < names.length; first += REMOVE_NAMES) {
        const some = names.slice(first, first + REMOVE_NAMES);
        try {
          await database.transaction({ doing: "Remove" }, async (session) => {
            await session.query(
              `WITH gone AS (DELETE FROM ${tables.object} WHERE name = ANY ($1) RETURNING object_id)
               DELETE FROM ${tables.chunk} chunk USING gone WHERE chunk.object_id = gone.object_id`,
              [some],
            );
          });
        } catch (error) {
          if (!(error instanceof UnknownOutcome)) throw error;
          throw new StateBackendError(
            "UNAVAILABLE",
            "Remove failed: the connection was lost while it committed. Repeat the call.",
            {
              outcome: "unknown",
              cause: error,
            },
          );
        }
      }
    });
  }

  async close(): Promise<void> {
    await this.#calls.close(async () => {
      if (this.#isJoined) await this.#parts.source.leave();
    });
  }

  async #put(name: string, body: Body, options: Omit<UploadOptions, "random">): Promise<TransactionalOutcome> {
    partsOfObjectName(name);
    return this.#calls.run(async () => {
      const place = await this.#ready();
      if (!this.#hasSwept) await sweepUploads(place);
      this.#hasSwept = true;
      return upload(place, name, body, { ...options, random: this.#parts.random });
    });
  }

  async #ready(): Promise<Place> {
    if (!this.#isJoined) this.#parts.source.join();
    this.#isJoined = true;
    await this.#parts.place.ready();
    return this.#parts.place;
  }

  async #find(name: string): Promise<Found> {
    const { database, tables } = await this.#ready();
    const { rows } = await database.read(
      "Get",
      `SELECT object_id::pg_catalog.text, bytes::pg_catalog.text, chunk_bytes::pg_catalog.text FROM ${tables.object}
       WHERE name OPERATOR(pg_catalog.=) $1`,
      [name],
    );
    const row = rows[0] as readonly [string, string, string] | undefined;
    if (row === undefined) throw notFound(name);
    return { objectId: row[0], bytes: Number(row[1]), chunkBytes: Number(row[2]) };
  }

  /** What is to be read, and the beginning of it. Asked again if the object has made way for another of its name in between. */
  async #begin(name: string, range: ByteRange | undefined): Promise<Begun> {
    while (true) {
      const object = await this.#find(name);
      const { start, end } = range ?? { start: 0, end: object.bytes };
      if (end > object.bytes) throw tooShort(name, object.bytes, end);
      if (start === end) return { object, start, end, first: undefined };
      const piece = Math.floor(start / object.chunkBytes);
      const first = await this.#piece(name, object, { piece, from: start, to: end });
      if (first !== undefined) return { object, start, end, first };
    }
  }

  /** What the piece has from `from` on and before `to`; `undefined` if the object has gone, and there is another of its name. */
  async #piece(name: string, object: Found, { piece, from, to }: Wanted): Promise<Uint8Array | undefined> {
    const { database, tables } = await this.#ready();
    const { objectId, bytes, chunkBytes } = object;
    const offset = from - piece * chunkBytes;
    const length = Math.min(to, (piece + 1) * chunkBytes, bytes) - from;
    const { rows } = await database.read(
      "Get",
      `SELECT pg_catalog.substring(body, $3::pg_catalog.int4, $4::pg_catalog.int4) FROM ${tables.chunk}
       WHERE object_id OPERATOR(pg_catalog.=) $1 AND chunk OPERATOR(pg_catalog.=) $2`,
      [objectId, piece, offset + 1, length],
    );
    const hex = rows[0]?.[0];
    if (hex === undefined || hex === null) {
      const { objectId: there } = await this.#find(name);
      if (there !== objectId) return undefined;
      throw tooShort(name, from, to);
    }
    const found = bytesOfHex(hex);
    if (found.length !== length) throw tooShort(name, from + found.length, to);
    return found;
  }
}

interface Found {
  readonly objectId: string;
  readonly bytes: number;
  readonly chunkBytes: number;
}

interface Begun {
  readonly object: Found;
  readonly start: number;
  readonly end: number;
  /** `undefined` if nothing is asked for. */
  readonly first: Uint8Array | undefined;
}

interface Wanted {
  readonly piece: number;
  readonly from: number;
  readonly to: number;
}

function checkRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end) return;
  throw new RangeError(`Byte range refused. start=${start} end=${end}. Use integers, 0 <= start <= end.`);
}

function notFound(name: string): Error {
  return new StateBackendError(
    "CHECKPOINT_NOT_FOUND",
    `Object not found. name=${quoted(name)}. Restore a retained checkpoint, or check database and schema.`,
  );
}

function tooShort(name: string, bytes: number, wanted: number): Error {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `An object is shorter than expected. name=${quoted(name)} bytes=${bytes} wanted=${wanted}. Restore another checkpoint.`,
  );
}
