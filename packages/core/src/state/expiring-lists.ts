/**
 * The table of a list state, seen through a time to live: every element expires by itself.
 *
 * Invariants:
 * - The table holds `Stamped` elements, and nobody but this sees them.
 * - A sweep judges a list by the element in its middle: rewriting a list then removes about half of it, however often it is appended to.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { ListTable } from "../table/list-table.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import type { ListRows } from "./rows.js";
import { Sweep } from "./sweep.js";
import type { Ttl } from "./ttl.js";

export class ExpiringLists implements ListRows {
  readonly sweep: Sweep<unknown>;
  readonly #table: ListTable;
  readonly #ttl: Ttl;

  constructor(table: ListTable, ttl: Ttl, options: TableOptions) {
    const { address } = options;
    this.#table = table;
    this.#ttl = ttl;
    this.sweep = new Sweep<unknown>({
      cells: () => table.cells(),
      visit: (identity, middle, watermarkOf) => {
        const now = ttl.now(watermarkOf?.(groupOf(options, identity)));
        if (watermarkOf === undefined && (middle === undefined || ttl.isLive(middle, now))) return;
        this.#dropExpired(address.keyOf(identity), address.namespaceOf(identity), now);
      },
    });
  }

  get(key: unknown, namespace: BinaryKey): readonly unknown[] {
    const stored = this.#table.get(key, namespace) as readonly Stamped[];
    if (stored.length === 0) return stored;
    const ttl = this.#ttl;
    const now = ttl.now();
    const live = stored.filter((element) => ttl.isLive(element, now));
    if (live.some((element) => ttl.isRenewable(element, now))) {
      this.#table.replace(
        key,
        namespace,
        live.map(({ value }) => ttl.stamp(value, now)),
      );
    } else if (live.length < stored.length) {
      this.#table.replace(key, namespace, live);
    }
    return valuesOf(ttl.returnsExpired ? stored : live);
  }

  peek(key: unknown, namespace: BinaryKey): readonly unknown[] {
    const now = this.#ttl.now();
    const stored = this.#table.get(key, namespace) as readonly Stamped[];
    return valuesOf(stored.filter((element) => this.#ttl.isLive(element, now)));
  }

  append(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    this.#table.append(key, namespace, this.#stamped(elements));
    this.sweep.step();
  }

  replace(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    this.#table.replace(key, namespace, this.#stamped(elements));
    this.sweep.step();
  }

  identities(): Generator<KeyIdentity[], void, undefined> {
    const now = this.#ttl.now();
    return this.#table.identities((element) => this.#ttl.isLive(element, now));
  }

  #stamped(elements: readonly unknown[]): readonly Stamped[] {
    const now = this.#ttl.now();
    return elements.map((element) => this.#ttl.stamp(element, now));
  }

  #dropExpired(key: unknown, namespace: BinaryKey, now: number): void {
    const stored = this.#table.get(key, namespace);
    const live = stored.filter((element) => this.#ttl.isLive(element, now));
    if (live.length < stored.length) this.#table.replace(key, namespace, live);
  }
}

function valuesOf(elements: readonly Stamped[]): readonly unknown[] {
  return Object.freeze(elements.map(({ value }) => value));
}
