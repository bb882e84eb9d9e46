/** Changes that are made by one transaction. */

import type { BinaryKey, Change, StoreEntry } from "@tidemark/core";
import { byteaArrayOf, byteaArrayOfKeys } from "./binary-array.js";
import type { Session } from "./database.js";
import { bytesOfKey } from "./row-bytes.js";
import { after, HEAD_BYTES, headOf, isLong, storedKey, storedRange } from "./stored-key.js";
import { storedLength } from "./stored-value.js";
import type { Tables } from "./tables.js";
import { ValueColumn } from "./value-column.js";

/** So many changes, or bytes of them, are one batch. */
const CHANGES_MAX = 20_000;
const BYTES_MAX = 8 * 1024 * 1024;

/**
 * Changes in ascending order of keys. All clears are made first: one that comes later removes nothing that comes before, since keys that begin
 * with its prefix do not stand before it.
 */
export class ChangeBatch {
  readonly #clears: BinaryKey[] = [];
  readonly #deletes: BinaryKey[] = [];
  readonly #keys: BinaryKey[] = [];
  readonly #values = new ValueColumn();
  #hasLong = false;
  #count = 0;
  #bytes = 0;

  get isFull(): boolean {
    return this.#count >= CHANGES_MAX || this.#bytes >= BYTES_MAX;
  }

  add(change: Change): void {
    if (change.kind === "clear") this.#clears.push(change.prefix);
    else if (change.kind === "put") this.put(change);
    else this.#deletes.push(change.key);
    if (change.kind === "put") return;
    this.#count++;
    this.#bytes += change.kind === "clear" ? change.prefix.length : change.key.length;
  }

  put({ key, value }: StoreEntry): void {
    this.#count++;
    this.#bytes += key.length + storedLength(value);
    this.#hasLong ||= isLong(key);
    // A statement does not change a row twice.
    if (this.#keys.at(-1) === key) this.#values.removeLast();
    else this.#keys.push(key);
    this.#values.add(key, value);
  }

  /** Makes the changes. May be called again. */
  async write(session: Session, tables: Tables, scopeId: string): Promise<void> {
    await this.#clear(session, tables, scopeId);
    if (this.#deletes.length > 0) {
      await session.query(
        `DELETE FROM ${tables.entry} entry USING unnest($2::bytea[]) AS gone (key) WHERE scope_id = $1 AND entry.key = gone.key`,
        [scopeId, byteaArrayOfKeys(this.#deletes.map((key) => storedKey(key).key))],
      );
    }
    if (this.#keys.length > 0) await this.#put(session, tables, scopeId);
  }

  async #put(session: Session, tables: Tables, scopeId: string): Promise<void> {
    const values = byteaArrayOf(this.#values.count, this.#values.elements);
    if (!this.#hasLong) {
      await session.query(
        `INSERT INTO ${tables.entry} (scope_id, key, value) SELECT $1, key, value FROM unnest($2::bytea[], $3::bytea[]) AS rows (key, value)
         ON CONFLICT (scope_id, key) DO UPDATE SET value = EXCLUDED.value`,
        [scopeId, byteaArrayOfKeys(this.#keys), values],
      );
      return;
    }
    const stored = this.#keys.map(storedKey);
    const tails = stored.map(({ tail }) => tail ?? ("" as BinaryKey));
    await session.query(
      `INSERT INTO ${tables.entry} (scope_id, key, tail, value)
         SELECT $1, key, nullif(tail, ''), value FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS rows (key, tail, value)
       ON CONFLICT (scope_id, key) DO UPDATE SET value = EXCLUDED.value`,
      [scopeId, byteaArrayOfKeys(stored.map(({ key }) => key)), byteaArrayOfKeys(tails), values],
    );
  }

  async #clear(session: Session, tables: Tables, scopeId: string): Promise<void> {
    const short = this.#clears.filter((prefix) => prefix.length <= HEAD_BYTES);
    if (short.length > 0) {
      await session.query(
        `DELETE FROM ${tables.entry} entry USING unnest($2::bytea[], $3::bytea[]) AS gone (first, beyond)
         WHERE scope_id = $1 AND entry.key >= gone.first AND entry.key < gone.beyond`,
        [scopeId, byteaArrayOfKeys(short), byteaArrayOfKeys(short.map(after))],
      );
    }
    for (const prefix of this.#clears) {
      if (prefix.length <= HEAD_BYTES) continue;
      const { start, end } = storedRange(prefix, after(headOf(prefix)));
      await session.query(
        `DELETE FROM ${tables.entry} WHERE scope_id = $1 AND key >= $2 AND key < $3 AND tail >= $4 AND tail < $5`,
        [scopeId, start, end, prefix.slice(HEAD_BYTES), after(prefix.slice(HEAD_BYTES) as BinaryKey)].map(
          (value, index) => (index === 0 ? value : bytesOfKey(value as BinaryKey)),
        ),
      );
    }
  }
}
