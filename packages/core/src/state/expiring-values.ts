/**
 * The table of a state with one value per key, seen through a time to live.
 *
 * What is due is removed by every call, so that mostly nothing is. A read that finds this once need not look again while time stands
 * still: for some hundreds of reads it is no more than a read of a state without a time to live.
 *
 * Invariants:
 * - While time stands still, nothing in the table has expired, and reads do not stamp.
 * - What has expired is removed by an ordinary deletion, at most REMOVED_PER_CALL cells with each call, the earliest first.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Address } from "../table/address.js";
import type { Expiries } from "../table/expiries.js";
import { isExpired } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import type { Standstill } from "../table/task-time.js";
import type { ValueTable } from "../table/value-table.js";
import type { ValueRows } from "./rows.js";
import { Sweep, type Sweeping, type WatermarkOf } from "./sweep.js";
import type { Ttl } from "./ttl.js";

const REMOVED_PER_CALL = 16;

interface ExpiringTable {
  readonly table: ValueTable;
  readonly expiries: Expiries;
  readonly options: TableOptions;
}

export class ExpiringValues implements ValueRows, Sweeping {
  readonly #table: ValueTable;
  readonly #expiries: Expiries;
  readonly #address: Address;
  readonly #ttl: Ttl;
  readonly #standstill: Standstill;
  readonly #restored: Sweep<undefined>;
  /** Whether a read may stamp. */
  readonly #renewsOnRead: boolean;

  constructor({ table, expiries, options }: ExpiringTable, ttl: Ttl) {
    this.#table = table;
    this.#expiries = expiries;
    this.#address = options.address;
    this.#ttl = ttl;
    this.#standstill = ttl.standstill();
    this.#renewsOnRead = ttl.renewsOnRead;
    this.#restored = new Sweep<undefined>({
      cells: () => cellsOf(table),
      visit: (identity, _, watermarkOf) => {
        const now = ttl.now(watermarkOf?.(groupOf(options, identity)));
        if (isExpired(expiries.of(identity), now)) table.removeCell(identity);
      },
    });
  }

  get(key: unknown, namespace: BinaryKey): unknown {
    const value = this.#table.get(key, namespace);
    return this.#isStill() || value === undefined ? value : this.#met({ key, namespace, value }, this.#ttl.now());
  }

  peek(key: unknown, namespace: BinaryKey): unknown {
    const value = this.#table.get(key, namespace);
    if (this.#isStill() || value === undefined) return value;
    const now = this.#ttl.now();
    if (now < this.#expiries.first) return value;
    return isExpired(this.#expiries.of(this.#address.identity(key, namespace)), now) ? undefined : value;
  }

  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    const now = this.#ttl.now();
    this.#table.stamp(key, namespace, value, this.#ttl.expiryAt(now));
    if (now >= this.#expiries.first) this.#removeDue(now, REMOVED_PER_CALL);
  }

  remove(key: unknown, namespace: BinaryKey): void {
    this.#table.remove(key, namespace);
    const now = this.#ttl.now();
    if (now >= this.#expiries.first) this.#removeDue(now, REMOVED_PER_CALL);
  }

  identities(): Generator<KeyIdentity[], void, undefined> {
    const now = this.#ttl.now();
    if (now < this.#expiries.first) return this.#table.identities();
    return this.#table.identities((identity) => !isExpired(this.#expiries.of(identity), now));
  }

  /** Removes `cells` of what has expired; whether nothing more has. By `watermarkOf`, looks at as many cells. */
  step(cells: number, watermarkOf?: WatermarkOf): boolean {
    if (watermarkOf !== undefined) return this.#restored.step(cells, watermarkOf);
    return this.#removeDue(this.#ttl.now(), cells);
  }

  #isStill(): boolean {
    const standstill = this.#standstill;
    if (standstill.calls === 0) return false;
    standstill.calls--;
    return true;
  }

  /** A read met a value when it may have expired, or may have to be stamped. What the read gives. */
  #met(found: { key: unknown; namespace: BinaryKey; value: unknown }, now: number): unknown {
    const { key, namespace, value } = found;
    if (now < this.#expiries.first && !this.#renewsOnRead) {
      this.#ttl.standStill(this.#standstill);
      return value;
    }
    const identity = this.#address.identity(key, namespace);
    const expiry = this.#expiries.of(identity);
    const isLive = !isExpired(expiry, now);
    if (!isLive) this.#table.removeCell(identity);
    else if (this.#renewsOnRead && expiry !== this.#ttl.expiryAt(now)) {
      this.#table.stamp(key, namespace, value, this.#ttl.expiryAt(now));
    }
    if (now >= this.#expiries.first) this.#removeDue(now, REMOVED_PER_CALL);
    return isLive || this.#ttl.returnsExpired ? value : undefined;
  }

  #removeDue(now: number, cellsMax: number): boolean {
    for (let left = cellsMax; left > 0; left--) {
      const due = this.#expiries.dueAt(now);
      if (due === undefined) return true;
      this.#table.removeCell(due);
    }
    return false;
  }
}

function* cellsOf(table: ValueTable): Generator<readonly [KeyIdentity, undefined]> {
  for (const group of table.identities()) for (const identity of group) yield [identity, undefined];
}
