/**
 * The table of a state that has one row per key and whose rest is in a store: value, reducing and aggregating state.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { StoreEntry } from "../contracts/store.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import { DELETED } from "../table/epoch.js";
import type { FrozenRows } from "../table/frozen-rows.js";
import { RowMeter } from "../table/row-meter.js";
import { CELL_OFFSET, type StateTable } from "../table/state-table.js";
import { groupOf, ownedGroupOf, type TableOptions } from "../table/table-options.js";
import { Layers } from "./layers.js";
import type { OverlayRow } from "./merged-scan.js";
import { type MetRow, scanGroups } from "./scan-groups.js";
import { statePrefix, valueReader } from "./store-entry.js";
import type { StoreAccess } from "./store-access.js";

/** A value, or DELETED. */
type Content = unknown;

export class StoredValues implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #access: StoreAccess;
  readonly #layers: Layers<Content>;
  readonly #meter: RowMeter;

  constructor(options: TableOptions, access: StoreAccess) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#access = access;
    this.#meter = new RowMeter(options.codec);
    this.#layers = new Layers({
      budget: access.budget,
      valueBytes: () => access.rowBytes(this.#meter),
      valuesOf: () => 1,
    });
  }

  /** Not known: the rest is in the store. */
  get liveRows(): number {
    return Number.POSITIVE_INFINITY;
  }

  get writtenBytes(): number {
    return this.#layers.writtenEntries * this.#access.rowBytes(this.#meter);
  }

  /** The value of `key`, or `undefined`; a promise only if the store has to be waited for. */
  find(key: unknown, namespace: BinaryKey): unknown {
    const identity = this.#options.address.identity(key, namespace);
    const known = this.#layers.find(identity);
    if (known !== undefined) return present(known);
    const group = ownedGroupOf(this.#options, key);
    return this.#access.reads.isSync ? this.#fetchSync(identity, group) : this.#fetch(identity, group);
  }

  /** As `find`, of a store that can be read without a promise. */
  findSync(key: unknown, namespace: BinaryKey): unknown {
    const identity = this.#options.address.identity(key, namespace);
    const known = this.#layers.find(identity);
    return known === undefined ? this.#fetchSync(identity, ownedGroupOf(this.#options, key)) : present(known);
  }

  /** What memory knows of `key` as it is now: `undefined` if it is deleted, or not known. */
  known(key: unknown, namespace: BinaryKey): unknown {
    return present(this.#layers.find(this.#options.address.identity(key, namespace)));
  }

  /** Stores `value`, which the state owns. */
  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    if (this.#meter.isDue(this.#layers.writtenEntries + 1)) this.#meter.sample(value);
    this.#write(key, namespace, value);
  }

  /** Deletes `key`, without looking whether it is there. */
  remove(key: unknown, namespace: BinaryKey): void {
    this.#write(key, namespace, DELETED);
  }

  /** The keys that are present with their values, by key group, ascending by encoded key; in chunks. */
  async *cells(): AsyncGenerator<readonly MetRow[], void, undefined> {
    const { address } = this.#options;
    const scanned = scanGroups({
      ...this.#options,
      reads: this.#access.reads,
      overlay: this.#overlay(),
      decode: ({ value }) => this.#read(value),
    });
    for await (const rows of scanned) {
      yield rows.map(({ key, content }) => ({ key, identity: address.decode(key, CELL_OFFSET).identity, content }));
    }
  }

  /** The keys that are present, as in `cells`; values stay as they are. */
  async *identities(): AsyncGenerator<readonly KeyIdentity[], void, undefined> {
    const { address } = this.#options;
    const scan = { ...this.#options, reads: this.#access.reads, overlay: this.#overlay(), decode: noContent };
    for await (const rows of scanGroups(scan)) {
      yield rows.map(({ key }) => address.decode(key, CELL_OFFSET).identity);
    }
  }

  /** The row that an entry of the store is. */
  met({ key, value }: StoreEntry): MetRow {
    return { key, identity: this.#options.address.decode(key, CELL_OFFSET).identity, content: this.#read(value) };
  }

  freeze(): FrozenRows {
    const { identities, rows } = this.#layers.freeze(this.#options.epoch.number);
    const { address, codec, valueFlags = 0 } = this.#options;
    const identityAt = (at: number): KeyIdentity => identities[at] as KeyIdentity;
    return {
      stateId: this.stateId,
      count: rows.length,
      groupAt: (at) => groupOf(this.#options, identityAt(at)),
      isDroppedAt: () => false,
      sortKeyAt: (at) => address.sortKey(identityAt(at)),
      appendAt(at, block) {
        const content = rows[at]?.content;
        const out = block.append(address.encode(identityAt(at)), content === DELETED ? FLAG_DELETE : valueFlags);
        if (content !== DELETED) codec.write(content, out);
      },
      completedAt() {},
    };
  }

  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void {
    this.#layers.applied(epoch);
  }

  load(): never {
    throw new TypeError("What a store holds is not loaded into memory.");
  }

  #write(key: unknown, namespace: BinaryKey, content: Content): void {
    const identity = this.#options.address.identity(key, namespace);
    if (!this.#layers.has(identity)) ownedGroupOf(this.#options, key);
    this.#layers.write(identity, content, 1);
  }

  #fetch(identity: KeyIdentity, group: number): Promise<unknown> {
    return this.#access.reads.get(this.#keyOf(identity, group), (stored) => {
      // It may have been written meanwhile.
      const known = this.#layers.find(identity);
      return known === undefined ? this.#keep(identity, stored) : present(known);
    });
  }

  #fetchSync(identity: KeyIdentity, group: number): unknown {
    return this.#keep(identity, this.#access.reads.getSync(this.#keyOf(identity, group)));
  }

  #keep(identity: KeyIdentity, stored: Uint8Array | undefined): unknown {
    const content = stored === undefined ? DELETED : this.#read(stored);
    this.#layers.keep(identity, content);
    return present(content);
  }

  #read(stored: Uint8Array): unknown {
    return this.#options.codec.read(valueReader(stored));
  }

  #keyOf(identity: KeyIdentity, group: number): BinaryKey {
    return joinKeys(statePrefix(group, this.stateId), this.#options.address.encode(identity));
  }

  /** What the store does not have yet, by key group, ascending by key. */
  #overlay(): Map<number, OverlayRow<unknown>[]> {
    const newest = new Map<KeyIdentity, Content>();
    for (const { identities, rows } of this.#layers.unapplied) {
      for (const [at, { content }] of rows.entries()) newest.set(identities[at] as KeyIdentity, content);
    }
    const groups = new Map<number, OverlayRow<unknown>[]>();
    for (const [identity, content] of newest) {
      const group = groupOf(this.#options, identity);
      const rows = groups.get(group) ?? [];
      groups.set(group, rows);
      rows.push({ key: this.#keyOf(identity, group), clears: false, content: present(content) });
    }
    for (const rows of groups.values()) rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return groups;
  }
}

function noContent(): undefined {
  return undefined;
}

function present(content: Content): unknown {
  return content === DELETED ? undefined : content;
}
