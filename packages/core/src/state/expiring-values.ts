/**
 * The table of a state with one value per key, seen through a time to live.
 *
 * Invariants:
 * - The table holds `Stamped` values, and nobody but this sees them.
 * - What has expired and is met by a read is removed, by an ordinary deletion.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import type { ValueTable } from "../table/value-table.js";
import type { ValueRows } from "./rows.js";
import { Sweep } from "./sweep.js";
import type { Ttl } from "./ttl.js";

export class ExpiringValues implements ValueRows {
  readonly sweep: Sweep<Stamped>;
  readonly #table: ValueTable;
  readonly #ttl: Ttl;

  constructor(table: ValueTable, ttl: Ttl, options: TableOptions) {
    this.#table = table;
    this.#ttl = ttl;
    this.sweep = new Sweep({
      cells: () => table.cells() as Iterable<readonly [KeyIdentity, Stamped]>,
      visit: (identity, content, watermarkOf) => {
        if (!ttl.isLive(content, ttl.now(watermarkOf?.(groupOf(options, identity))))) table.removeCell(identity);
      },
    });
  }

  get(key: unknown, namespace: BinaryKey): unknown {
    const content = this.#table.get(key, namespace) as Stamped | undefined;
    if (content === undefined) return undefined;
    const now = this.#ttl.now();
    if (!this.#ttl.isLive(content, now)) {
      this.#table.remove(key, namespace);
      return this.#ttl.returnsExpired ? content.value : undefined;
    }
    if (this.#ttl.isRenewable(content, now)) {
      this.#table.put(key, namespace, this.#ttl.stamp(content.value, now));
    }
    return content.value;
  }

  peek(key: unknown, namespace: BinaryKey): unknown {
    const content = this.#table.get(key, namespace) as Stamped | undefined;
    return content !== undefined && this.#ttl.isLive(content, this.#ttl.now()) ? content.value : undefined;
  }

  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    this.#table.put(key, namespace, this.#ttl.stamp(value, this.#ttl.now()));
    this.sweep.step();
  }

  remove(key: unknown, namespace: BinaryKey): void {
    this.#table.remove(key, namespace);
    this.sweep.step();
  }

  identities(): Generator<KeyIdentity[], void, undefined> {
    const now = this.#ttl.now();
    return this.#table.identities((content) => this.#ttl.isLive(content, now));
  }
}
