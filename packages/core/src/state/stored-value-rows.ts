/**
 * What a handle sees of a state that has one row per key and whose rest is in a store, through a time to live if it has one.
 *
 * Invariants:
 * - A read that finds something expired removes that, and nothing that was written since.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import { after, type MaybePromise } from "../stored/maybe-promise.js";
import type { MetRow } from "../stored/scan-groups.js";
import type { StoredValues } from "../stored/stored-values.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import { StoredSweep } from "./stored-sweep.js";
import type { Ttl } from "./ttl.js";

export class StoredValueRows {
  readonly #table: StoredValues;
  readonly #ttl: Ttl | undefined;

  constructor(table: StoredValues, ttl: Ttl | undefined) {
    this.#table = table;
    this.#ttl = ttl;
  }

  /** A read by the user. */
  find(key: unknown, namespace: BinaryKey): MaybePromise<unknown> {
    if (this.#ttl === undefined) return this.#table.find(key, namespace);
    return this.#table.find(key, namespace, (content) => this.#seen(key, namespace, content));
  }

  findSync(key: unknown, namespace: BinaryKey): unknown {
    const content = this.#table.findSync(key, namespace);
    return this.#ttl === undefined ? content : this.#seen(key, namespace, content);
  }

  /** A read that changes nothing. */
  peek(key: unknown, namespace: BinaryKey): MaybePromise<unknown> {
    const found = this.#table.find(key, namespace);
    return this.#ttl === undefined ? found : after(found, (content) => this.#live(content));
  }

  peekSync(key: unknown, namespace: BinaryKey): unknown {
    const content = this.#table.findSync(key, namespace);
    return this.#ttl === undefined ? content : this.#live(content);
  }

  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    const ttl = this.#ttl;
    this.#table.put(key, namespace, ttl === undefined ? value : ttl.stamp(value, ttl.now()));
  }

  remove(key: unknown, namespace: BinaryKey): void {
    this.#table.remove(key, namespace);
  }

  /** Removes what has expired. */
  sweep(ttl: Ttl, options: TableOptions): StoredSweep<MetRow> {
    const { address } = options;
    return new StoredSweep({
      stateId: this.#table.stateId,
      cells: () => this.#table.cells(),
      met: (entry) => this.#table.met(entry),
      visit: ({ identity, content }, watermarkOf) => {
        const [key, namespace] = [address.keyOf(identity), address.namespaceOf(identity)];
        const newest = this.#table.known(key, namespace) ?? content;
        if (!ttl.isLive(newest, ttl.now(watermarkOf?.(groupOf(options, identity))))) this.#table.remove(key, namespace);
      },
    });
  }

  /** The keys that are present, by key group, ascending by encoded key, in chunks. */
  async *identities(): AsyncGenerator<readonly KeyIdentity[], void, undefined> {
    if (this.#ttl === undefined) return yield* this.#table.identities();
    for await (const rows of this.#table.cells()) {
      yield rows.filter(({ content }) => this.#live(content) !== undefined).map(({ identity }) => identity);
    }
  }

  #live(content: unknown): unknown {
    const ttl = this.#ttl;
    if (ttl === undefined || content === undefined) return content;
    return ttl.isLive(content, ttl.now()) ? (content as Stamped).value : undefined;
  }

  /** `content` is the newest. */
  #seen(key: unknown, namespace: BinaryKey, content: unknown): unknown {
    const ttl = this.#ttl;
    if (ttl === undefined || content === undefined) return content;
    const stamped = content as Stamped;
    const now = ttl.now();
    if (!ttl.isLive(stamped, now)) {
      this.#table.remove(key, namespace);
      return ttl.returnsExpired ? stamped.value : undefined;
    }
    if (ttl.isRenewable(stamped, now)) this.#table.put(key, namespace, ttl.stamp(stamped.value, now));
    return stamped.value;
  }
}
