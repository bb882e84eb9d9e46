/**
 * The table of a map state, seen through a time to live: every field expires by itself.
 *
 * Invariants:
 * - The table holds `Stamped` values, and nobody but this sees them.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { MapTable } from "../table/map-table.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import type { MapRows } from "./rows.js";
import { Sweep } from "./sweep.js";
import type { Ttl } from "./ttl.js";

type Present = readonly [field: unknown, content: unknown];

export class ExpiringMaps implements MapRows {
  readonly sweep: Sweep<Present | undefined>;
  readonly #table: MapTable;
  readonly #ttl: Ttl;

  constructor(table: MapTable, ttl: Ttl, options: TableOptions) {
    const { address } = options;
    this.#table = table;
    this.#ttl = ttl;
    this.sweep = new Sweep<Present | undefined>({
      cells: () => table.fields(),
      visit: (identity, present, watermarkOf) => {
        const now = ttl.now(watermarkOf?.(groupOf(options, identity)));
        if (present === undefined || ttl.isLive(present[1], now)) return;
        table.remove(address.keyOf(identity), address.namespaceOf(identity), present[0]);
      },
    });
  }

  get(key: unknown, namespace: BinaryKey, field: unknown): unknown {
    const content = this.#table.get(key, namespace, field) as Stamped | undefined;
    if (content === undefined) return undefined;
    return this.#met({ key, namespace, field }, content, this.#ttl.now()) ? content.value : undefined;
  }

  put(key: unknown, namespace: BinaryKey, field: unknown, value: unknown): void {
    this.#table.put(key, namespace, field, this.#ttl.stamp(value, this.#ttl.now()));
    this.sweep.step();
  }

  putAll(key: unknown, namespace: BinaryKey, entries: readonly (readonly [unknown, unknown])[]): void {
    const now = this.#ttl.now();
    const stamped = entries.map(([field, value]) => [field, this.#ttl.stamp(value, now)] as const);
    this.#table.putAll(key, namespace, stamped);
    this.sweep.step();
  }

  remove(key: unknown, namespace: BinaryKey, field: unknown): void {
    this.#table.remove(key, namespace, field);
    this.sweep.step();
  }

  clear(key: unknown, namespace: BinaryKey): void {
    this.#table.clear(key, namespace);
    this.sweep.step();
  }

  isEmpty(key: unknown, namespace: BinaryKey): boolean {
    const now = this.#ttl.now();
    for (const content of this.#table.values(key, namespace)) if (this.#ttl.isLive(content, now)) return false;
    return true;
  }

  entries(key: unknown, namespace: BinaryKey): (readonly [unknown, unknown])[] {
    const now = this.#ttl.now();
    const given: (readonly [unknown, unknown])[] = [];
    for (const [field, content] of this.#table.entries(key, namespace) as (readonly [unknown, Stamped])[]) {
      if (this.#met({ key, namespace, field }, content, now)) given.push([field, content.value]);
    }
    return given;
  }

  identities(): Generator<KeyIdentity[], void, undefined> {
    const now = this.#ttl.now();
    return this.#table.identities((content) => this.#ttl.isLive(content, now));
  }

  /** A read met a field: removes it if it has expired, renews it if reads do. Whether the read gives it. */
  #met(place: { key: unknown; namespace: BinaryKey; field: unknown }, content: Stamped, now: number): boolean {
    const { key, namespace, field } = place;
    if (!this.#ttl.isLive(content, now)) {
      this.#table.remove(key, namespace, field);
      return this.#ttl.returnsExpired;
    }
    if (this.#ttl.isRenewable(content, now)) {
      this.#table.put(key, namespace, field, this.#ttl.stamp(content.value, now));
    }
    return true;
  }
}
