/** What a handle sees of a map state whose rest is in a store, through a time to live if it has one. */

import type { KeyCodec, KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import { after, type MaybePromise } from "../stored/maybe-promise.js";
import type { MetCellRow, StoredCells } from "../stored/stored-cells.js";
import type { RowMeter } from "../table/row-meter.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import { StoredSweep } from "./stored-sweep.js";
import type { Ttl } from "./ttl.js";

export interface StoredMapParts {
  readonly field: KeyCodec<unknown>;
  readonly meter: RowMeter;
  readonly ttl: Ttl | undefined;
}

type Field = readonly [field: unknown, value: unknown];

export class StoredMapRows {
  readonly #table: StoredCells;
  readonly #field: KeyCodec<unknown>;
  readonly #meter: RowMeter;
  readonly #ttl: Ttl | undefined;

  constructor(table: StoredCells, { field, meter, ttl }: StoredMapParts) {
    this.#table = table;
    this.#field = field;
    this.#meter = meter;
    this.#ttl = ttl;
  }

  find(key: unknown, namespace: BinaryKey, field: unknown): MaybePromise<unknown> {
    const sub = this.#field.identity(field);
    const found = this.#table.find(key, namespace, sub);
    return after(found, (content) => this.#seen({ key, namespace, sub }, content));
  }

  findSync(key: unknown, namespace: BinaryKey, field: unknown): unknown {
    const sub = this.#field.identity(field);
    return this.#seen({ key, namespace, sub }, this.#table.findSync(key, namespace, sub));
  }

  /** All or, if a field is refused, none. */
  putAll(key: unknown, namespace: BinaryKey, entries: readonly Field[]): void {
    const rows = entries.map(([field, value]) => [this.#field.identity(field), this.#stamped(value)] as const);
    const contents = rows.map(([, content]) => content);
    this.#meter.sampleNext(this.#table.writtenValues, contents);
    for (const [sub, content] of rows) this.#table.put(key, namespace, sub, content);
  }

  remove(key: unknown, namespace: BinaryKey, field: unknown): void {
    this.#table.remove(key, namespace, this.#field.identity(field));
  }

  clear(key: unknown, namespace: BinaryKey): void {
    this.#table.clear(key, namespace);
  }

  /** Ascending by encoded field. */
  entries(key: unknown, namespace: BinaryKey): MaybePromise<readonly Field[]> {
    return after(this.#table.rowsOf(key, namespace), (rows) => {
      const entries: Field[] = [];
      for (const [sub, content] of rows) {
        const value = this.#seen({ key, namespace, sub }, content);
        if (value !== undefined) entries.push([this.#field.fromIdentity(sub), value]);
      }
      return entries;
    });
  }

  isEmpty(key: unknown, namespace: BinaryKey): MaybePromise<boolean> {
    return after(this.#table.rowsOf(key, namespace), (rows) => {
      for (const content of rows.values()) if (this.#isLive(content)) return false;
      return true;
    });
  }

  /** Removes what has expired. */
  sweep(ttl: Ttl, options: TableOptions): StoredSweep<MetCellRow> {
    const { address } = options;
    return new StoredSweep({
      stateId: this.#table.stateId,
      cells: () => this.#table.cells(),
      met: (entry) => this.#table.met(entry),
      visit: ({ identity, content, key: row, end }, watermarkOf) => {
        const [key, namespace] = [address.keyOf(identity), address.namespaceOf(identity)];
        const sub = this.#field.identity(this.#field.decode(row, end).key);
        const newest = this.#table.known(key, namespace, sub) ?? content;
        const now = ttl.now(watermarkOf?.(groupOf(options, identity)));
        if (!ttl.isLive(newest, now)) this.#table.remove(key, namespace, sub);
      },
    });
  }

  /** The keys that have a field, by key group, ascending by encoded key. */
  async *identities(): AsyncGenerator<KeyIdentity, void, undefined> {
    let last: KeyIdentity | undefined;
    for await (const { identity, content } of this.#table.cells()) {
      if (Object.is(identity, last) || !this.#isLive(content)) continue;
      last = identity;
      yield identity;
    }
  }

  #stamped(value: unknown): unknown {
    return this.#ttl === undefined ? value : this.#ttl.stamp(value, this.#ttl.now());
  }

  #isLive(content: unknown): boolean {
    return this.#ttl === undefined || this.#ttl.isLive(content, this.#ttl.now());
  }

  /** A read met a row: removes it if it has expired, renews it if reads do. What the read gives. */
  #seen({ key, namespace, sub }: RowPlace, content: unknown): unknown {
    const ttl = this.#ttl;
    if (ttl === undefined || content === undefined) return content;
    const stamped = content as Stamped;
    const now = ttl.now();
    const isCurrent = this.#table.known(key, namespace, sub) === content;
    if (!ttl.isLive(stamped, now)) {
      if (isCurrent) this.#table.remove(key, namespace, sub);
      return ttl.returnsExpired ? stamped.value : undefined;
    }
    if (isCurrent && ttl.isRenewable(stamped, now)) {
      this.#table.put(key, namespace, sub, ttl.stamp(stamped.value, now));
    }
    return stamped.value;
  }
}

interface RowPlace {
  readonly key: unknown;
  readonly namespace: BinaryKey;
  readonly sub: KeyIdentity;
}
