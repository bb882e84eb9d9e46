/**
 * Reads of the entries of a scope.
 *
 * Invariants:
 * - Every answer comes with what the server says of the owner, of the same state of the database.
 * - A scan that takes more than one page reads one state of the database, on a connection of its own.
 */

import type { BinaryKey, KeyRange, StoreEntry } from "@tidemark/core";
import { ahead } from "./ahead.js";
import { byteaArrayOfKeys } from "./binary-array.js";
import type { Row, Snapshot } from "./database.js";
import { isLong, keyOfStored, storedKey, storedRange } from "./stored-key.js";
import { keyOfHex, valueOfStored } from "./stored-value.js";
import type { Place } from "./place.js";
import { bytesOfKey } from "./row-bytes.js";
import type { ScanSlots } from "./scan-slots.js";
import type { ScopeOwner } from "./scope-owner.js";
import { sortedHeads } from "./sorted-heads.js";

const FIRST_PAGE_ROWS = 200;
const PAGE_ROWS_MAX = 4_000;
const PAGE_BYTES = 1024 * 1024;

export class EntryReader {
  readonly #place: Place;
  readonly #owner: ScopeOwner;
  readonly #slots: ScanSlots;
  readonly #snapshots = new Set<Snapshot>();

  constructor(place: Place, owner: ScopeOwner, slots: ScanSlots) {
    this.#place = place;
    this.#owner = owner;
    this.#slots = slots;
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { database, tables } = this.#place;
    const { scopeId, ownerId, nonce } = this.#owner.row;
    const { seq } = this.#owner;
    const stored = keys.some(isLong) ? keys.map((key) => storedKey(key).key) : keys;
    // The inner query is not flattened, so that it is one look into the index per key, whatever the server believes of the table.
    const { rows } = await database.read(
      "Reading",
      `SELECT 0::pg_catalog.int8, seq::pg_catalog.text FROM ${tables.owner}
         WHERE owner_id OPERATOR(pg_catalog.=) $1 AND nonce OPERATOR(pg_catalog.=) $2
       UNION ALL
       SELECT asked.place, found.value::pg_catalog.text
         FROM pg_catalog.unnest($4::pg_catalog.bytea[]) WITH ORDINALITY AS asked (key, place),
           LATERAL (SELECT value FROM ${tables.entry} entry
             WHERE scope_id OPERATOR(pg_catalog.=) $3 AND entry.key OPERATOR(pg_catalog.=) asked.key OFFSET 0) AS found`,
      [ownerId, nonce, scopeId, byteaArrayOfKeys(stored)],
    );
    const values = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    let known: string | undefined;
    for (const [place, text] of rows as readonly (readonly [string, string])[]) {
      const index = Number(place) - 1;
      if (index < 0) known = text;
      else values[index] = valueOfStored(keys[index] as BinaryKey, text);
    }
    this.#owner.check(known, seq);
    return values;
  }

  async *scan({ start, end }: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    if (start >= end) return;
    const range = { start, end };
    const first = await this.#firstPage(range);
    if (first.length < FIRST_PAGE_ROWS) yield* this.#entries(pagesOf(first), range);
    else yield* this.#entries(this.#snapshotPages(range), range);
  }

  /** Ends the scans that are open. */
  close(): void {
    for (const snapshot of this.#snapshots) snapshot.end();
  }

  async #firstPage(range: KeyRange): Promise<readonly Row[]> {
    const { database, tables } = this.#place;
    const { scopeId, ownerId, nonce } = this.#owner.row;
    const { seq } = this.#owner;
    const bounds = storedRange(range.start, range.end);
    const { rows } = await database.read(
      "Scanning",
      `SELECT page.key, page.value, page.tail, owner.seq::pg_catalog.text FROM ${tables.owner} owner LEFT JOIN LATERAL (
         SELECT key, value, tail FROM ${tables.entry}
         WHERE scope_id OPERATOR(pg_catalog.=) $3 AND key OPERATOR(pg_catalog.>=) $4 AND key OPERATOR(pg_catalog.<) $5
         ORDER BY key LIMIT ${FIRST_PAGE_ROWS}) AS page ON true
       WHERE owner_id OPERATOR(pg_catalog.=) $1 AND nonce OPERATOR(pg_catalog.=) $2 ORDER BY page.key`,
      [ownerId, nonce, scopeId, bytesOfKey(bounds.start), bytesOfKey(bounds.end)],
    );
    this.#owner.check(rows[0]?.[3], seq);
    return rows.filter(([key]) => key !== null);
  }

  /** All pages of one state. */
  async *#snapshotPages(range: KeyRange): AsyncGenerator<readonly Row[], void, undefined> {
    const slot = await this.#slots.take();
    try {
      const pages = this.#cursorPages(range);
      if (!slot.isShared) yield* pages;
      else yield* await allOf(pages);
    } finally {
      slot.leave();
    }
  }

  /** As `#snapshotPages`; the connection is kept until the last one was taken. */
  async *#cursorPages(range: KeyRange): AsyncGenerator<readonly Row[], void, undefined> {
    const snapshot = await this.#place.database.snapshot("Scanning");
    this.#snapshots.add(snapshot);
    try {
      await this.#openCursor(snapshot, range);
      yield* ahead(fetchedPages(snapshot));
    } finally {
      // Also if the scan was given up: what was asked in advance is answered first.
      await snapshot.finish().catch(() => undefined);
      this.#snapshots.delete(snapshot);
    }
  }

  async #openCursor(snapshot: Snapshot, { start, end }: KeyRange): Promise<void> {
    const { tables } = this.#place;
    const { scopeId, ownerId, nonce } = this.#owner.row;
    const { seq } = this.#owner;
    const bounds = storedRange(start, end);
    const { rows } = await snapshot.query(`SELECT seq::text FROM ${tables.owner} WHERE owner_id = $1 AND nonce = $2`, [
      ownerId,
      nonce,
    ]);
    this.#owner.check(rows[0]?.[0], seq);
    await snapshot.query(
      `DECLARE entries NO SCROLL CURSOR FOR SELECT key, value, tail FROM ${tables.entry}
       WHERE scope_id = $1 AND key >= $2 AND key < $3 ORDER BY key`,
      [scopeId, bytesOfKey(bounds.start), bytesOfKey(bounds.end)],
    );
  }

  async *#entries(
    pages: AsyncIterable<readonly Row[]>,
    { start, end }: KeyRange,
  ): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    for await (const rows of sortedHeads(pages)) {
      const entries: StoreEntry[] = [];
      for (const [storedHex, valueHex, tailHex] of rows as readonly (readonly [string, string, string | null])[]) {
        const key = keyOfStored(keyOfHex(storedHex), tailHex === null ? undefined : keyOfHex(tailHex));
        if (key >= start && key < end) entries.push({ key, value: valueOfStored(key, valueHex) });
      }
      if (entries.length > 0) yield entries;
    }
  }
}

async function* fetchedPages(snapshot: Snapshot): AsyncGenerator<readonly Row[], void, undefined> {
  let rowsMax = FIRST_PAGE_ROWS;
  while (true) {
    const rows = await fetchPage(snapshot, rowsMax);
    if (rows.length === 0) return;
    rowsMax = nextPageRows(rows);
    yield rows;
  }
}

async function fetchPage(snapshot: Snapshot, rowsMax: number): Promise<readonly Row[]> {
  const { rows } = await snapshot.query(`FETCH FORWARD ${rowsMax} FROM entries`);
  return rows;
}

/** So many rows of the size of these make a page. */
function nextPageRows(rows: readonly Row[]): number {
  let characters = 0;
  for (const [key, value] of rows) characters += (key as string).length + (value as string).length;
  return Math.max(1, Math.min(PAGE_ROWS_MAX, Math.floor((PAGE_BYTES * 2 * rows.length) / characters)));
}

async function* pagesOf(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
  if (rows.length > 0) yield rows;
}

async function allOf(pages: AsyncIterable<readonly Row[]>): Promise<readonly (readonly Row[])[]> {
  const all: (readonly Row[])[] = [];
  for await (const page of pages) all.push(page);
  return all;
}
