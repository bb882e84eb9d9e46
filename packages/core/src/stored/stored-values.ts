/**
 * The table of a state that has one row per key and whose rest is in a store: value, reducing and aggregating state.
 */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { KeyIdentity } from "../contracts/codec.js";
import type { StoreEntry } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { FrozenRows } from "../table/frozen-rows.js";
import { CELL_OFFSET, type StateTable } from "../table/state-table.js";
import { checkOwned, type TableOptions } from "../table/table-options.js";
import { EncodedRows } from "./encoded-rows.js";
import type { OverlayRow } from "./merged-scan.js";
import { RowKey } from "./row-key.js";
import { type MetRow, scanGroups } from "./scan-groups.js";
import type { StoreAccess } from "./store-access.js";
import { STORED_VALUE_START, valueReader } from "./store-entry.js";

/** The store has nothing. */
const ABSENT = Symbol("absent");

/** What a reader makes of a value, or of its absence, at the moment at which it is the newest. */
export type Seen = (content: unknown) => unknown;

export class StoredValues implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #access: StoreAccess;
  readonly #rows: EncodedRows;
  readonly #key: RowKey;
  readonly #value = new ByteWriter();
  /** What the store has of `#key`, where that was read last and is not in memory yet: if it is written next, it need not be. */
  #read: Uint8Array | typeof ABSENT | undefined;

  constructor(options: TableOptions, access: StoreAccess) {
    const { stateId, address, maxParallelism } = options;
    this.stateId = stateId;
    this.#options = options;
    this.#access = access;
    this.#rows = new EncodedRows(access.budget, access.chunks);
    this.#key = new RowKey(stateId, address, maxParallelism);
  }

  /** Not known: the rest is in the store. */
  get liveRows(): number {
    return Number.POSITIVE_INFINITY;
  }

  get writtenBytes(): number {
    return this.#rows.writtenBytes;
  }

  /** The value of `key`, or `undefined`, as `seen` makes it; a promise only if the store has to be waited for. */
  find(key: unknown, namespace: BinaryKey, seen: Seen = asItIs): unknown {
    if (this.#access.reads.isSync) return seen(this.findSync(key, namespace));
    this.#at(key, namespace);
    const address = this.#rows.find(this.#key);
    if (address !== 0) return seen(this.#contentAt(address));
    checkOwned(this.#options, this.#key.group);
    const { text, hash } = this.#key;
    return this.#access.reads.get(text, (stored) => {
      this.#key.setText(text, hash);
      // It may have been written meanwhile.
      const written = this.#rows.find(this.#key);
      if (written !== 0) return seen(this.#contentAt(written));
      const content = this.#decoded(stored ?? ABSENT);
      this.#rows.keep(this.#key, stored, STORED_VALUE_START);
      return seen(content);
    });
  }

  /** As `find`, of a store that can be read without a promise. */
  findSync(key: unknown, namespace: BinaryKey): unknown {
    this.#at(key, namespace);
    if (this.#read !== undefined) return this.#decoded(this.#read);
    const address = this.#rows.find(this.#key);
    if (address !== 0) return this.#contentAt(address);
    checkOwned(this.#options, this.#key.group);
    const stored = this.#access.reads.getSync(this.#key.text) ?? ABSENT;
    const content = this.#decoded(stored);
    this.#read = stored;
    return content;
  }

  /** What memory knows of `key` as it is now: `undefined` if it is deleted, or not known. */
  known(key: unknown, namespace: BinaryKey): unknown {
    this.#at(key, namespace);
    if (this.#read !== undefined) return this.#decoded(this.#read);
    const address = this.#rows.find(this.#key);
    return address === 0 ? undefined : this.#contentAt(address);
  }

  /** Stores `value`, which the state owns. */
  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    // A codec of the user's own may throw, or use state: then nothing has changed.
    const encoded = this.#value;
    encoded.reset();
    this.#options.codec.write(value, encoded);
    this.#write(key, namespace, encoded);
  }

  /** Deletes `key`, without looking whether it is there. */
  remove(key: unknown, namespace: BinaryKey): void {
    this.#write(key, namespace, undefined);
  }

  /** The keys that are present with their values, by key group, ascending by encoded key; in chunks. */
  cells(): AsyncGenerator<readonly MetRow[], void, undefined> {
    const scan = { ...this.#options, reads: this.#access.reads, overlay: this.#overlay((at) => this.#contentAt(at)) };
    return scanGroups(scan, {
      stored: (entry) => this.met(entry),
      changed: (key, content) => ({ key, identity: this.#identityOf(key), content }),
    });
  }

  /** The keys that are present, as in `cells`; values stay as they are. */
  identities(): AsyncGenerator<readonly KeyIdentity[], void, undefined> {
    const overlay = this.#overlay((at) => (this.#rows.isDeleted(at) ? undefined : true));
    const scan = { ...this.#options, reads: this.#access.reads, overlay };
    return scanGroups(scan, { stored: ({ key }) => this.#identityOf(key), changed: (key) => this.#identityOf(key) });
  }

  /** The row that an entry of the store is. */
  met({ key, value }: StoreEntry): MetRow {
    return { key, identity: this.#identityOf(key), content: this.#decoded(value) };
  }

  freeze(): FrozenRows {
    const { epoch, valueFlags = 0 } = this.#options;
    return this.#rows.freeze(epoch.number, this.stateId, valueFlags);
  }

  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void {
    this.#rows.applied(epoch);
  }

  load(): never {
    throw new TypeError("What a store holds is not loaded into memory.");
  }

  #write(key: unknown, namespace: BinaryKey, value: ByteWriter | undefined): void {
    this.#at(key, namespace);
    checkOwned(this.#options, this.#key.group);
    this.#read = undefined;
    this.#rows.write(this.#key, value);
  }

  /** From here on `#key` is that of a cell, and what was read of another one is in memory. */
  #at(key: unknown, namespace: BinaryKey): void {
    const read = this.#read;
    if (read !== undefined && !this.#key.is(key, namespace)) {
      this.#read = undefined;
      this.#rows.keep(this.#key, read === ABSENT ? undefined : read, STORED_VALUE_START);
    }
    this.#key.set(key, namespace);
  }

  #identityOf(key: BinaryKey): KeyIdentity {
    return this.#options.address.decode(key, CELL_OFFSET).identity;
  }

  #contentAt(address: number): unknown {
    return this.#rows.isDeleted(address) ? undefined : this.#options.codec.read(this.#rows.valueOf(address));
  }

  #decoded(stored: Uint8Array | typeof ABSENT): unknown {
    return stored === ABSENT ? undefined : this.#options.codec.read(valueReader(stored));
  }

  /** What the store does not have yet, by key group, ascending by key. */
  #overlay(contentAt: (address: number) => unknown): Map<number, OverlayRow<unknown>[]> {
    const groups = new Map<number, OverlayRow<unknown>[]>();
    for (const { key, group, address } of this.#rows.unapplied()) {
      const rows = groups.get(group) ?? [];
      groups.set(group, rows);
      rows.push({ key, clears: false, content: contentAt(address) });
    }
    for (const rows of groups.values()) rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return groups;
  }
}

function asItIs(content: unknown): unknown {
  return content;
}
