/**
 * What a handle sees of a list state whose rest is in a store, through a time to live if it has one.
 *
 * Invariants:
 * - Appending reads nothing: elements go into chunks of their own epoch.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY } from "../key/binary-key.js";
import { after, type MaybePromise } from "../stored/maybe-promise.js";
import type { MetRow } from "../stored/scan-groups.js";
import type { PresentRows, StoredCells } from "../stored/stored-cells.js";
import type { Epoch } from "../table/epoch.js";
import { CHUNK_ELEMENTS, chunkIndex, chunkKey } from "../table/list-elements.js";
import type { RowMeter } from "../table/row-meter.js";
import type { Stamped } from "../table/stamped.js";
import { groupOf, type TableOptions } from "../table/table-options.js";
import { StoredSweep } from "./stored-sweep.js";
import type { Ttl } from "./ttl.js";

export interface StoredListParts {
  readonly epoch: Epoch;
  readonly meter: RowMeter;
  readonly ttl: Ttl | undefined;
}

export class StoredListRows {
  readonly #table: StoredCells;
  readonly #epoch: Epoch;
  readonly #meter: RowMeter;
  readonly #ttl: Ttl | undefined;

  constructor(table: StoredCells, { epoch, meter, ttl }: StoredListParts) {
    this.#table = table;
    this.#epoch = epoch;
    this.#meter = meter;
    this.#ttl = ttl;
  }

  /** A read by the user; the elements are frozen. */
  find(key: unknown, namespace: BinaryKey): MaybePromise<readonly unknown[]> {
    return after(this.#table.rowsOf(key, namespace), (rows) => {
      const stored = elementsOf(rows);
      return this.#ttl === undefined ? Object.freeze(stored) : this.#seen(key, namespace, stored as Stamped[]);
    });
  }

  /** A read that changes nothing. */
  peek(key: unknown, namespace: BinaryKey): MaybePromise<readonly unknown[]> {
    return after(this.#table.rowsOf(key, namespace), (rows) => this.#live(elementsOf(rows)));
  }

  /** Appends elements, which the state owns. */
  append(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    if (elements.length === 0) return;
    this.#append(key, namespace, this.#stamped(elements));
  }

  /** Replaces the whole list by elements, which the state owns. */
  replace(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    this.#replace(key, namespace, this.#stamped(elements));
  }

  /** Removes what has expired. */
  sweep(ttl: Ttl, options: TableOptions): StoredSweep<MetRow> {
    const { address } = options;
    return new StoredSweep({
      stateId: this.#table.stateId,
      cells: () => this.#table.cells(),
      met: (entry) => this.#table.met(entry),
      visit: async ({ identity, content }, watermarkOf) => {
        const now = ttl.now(watermarkOf?.(groupOf(options, identity)));
        if ((content as readonly unknown[]).every((element) => ttl.isLive(element, now))) return;
        await this.#dropExpired(address.keyOf(identity), address.namespaceOf(identity), now);
      },
    });
  }

  /** The keys that have an element, by key group, ascending by encoded key. */
  async *identities(): AsyncGenerator<KeyIdentity, void, undefined> {
    let last: KeyIdentity | undefined;
    for await (const { identity, content } of this.#table.cells()) {
      if (Object.is(identity, last) || this.#live(content as readonly unknown[]).length === 0) continue;
      last = identity;
      yield identity;
    }
  }

  #append(key: unknown, namespace: BinaryKey, contents: readonly unknown[]): void {
    this.#meter.sampleNext(this.#table.writtenValues, contents);
    let open = this.#openChunk(key, namespace);
    this.#table.touch(key, namespace);
    for (const content of contents) {
      if (open === undefined || open.elements.length >= CHUNK_ELEMENTS) {
        const index = open === undefined ? 0 : chunkIndex(open.sub) + 1;
        open = { sub: chunkKey(this.#epoch.number, index), elements: [] };
        this.#table.put(key, namespace, open.sub, open.elements);
      }
      open.elements.push(content);
      this.#table.grew(1);
    }
  }

  #replace(key: unknown, namespace: BinaryKey, contents: readonly unknown[]): void {
    this.#meter.sampleNext(this.#table.writtenValues, contents);
    this.#table.clear(key, namespace);
    if (contents.length > 0) this.#table.put(key, namespace, EMPTY_KEY, Object.freeze([...contents]));
  }

  /** The last chunk that the current epoch has of a key. */
  #openChunk(
    key: unknown,
    namespace: BinaryKey,
  ): { readonly sub: BinaryKey; readonly elements: unknown[] } | undefined {
    const cell = this.#table.written(key, namespace);
    if (cell?.last === undefined || cell.last === EMPTY_KEY) return undefined;
    return { sub: cell.last as BinaryKey, elements: cell.rows.get(cell.last) as unknown[] };
  }

  #stamped(elements: readonly unknown[]): readonly unknown[] {
    const ttl = this.#ttl;
    if (ttl === undefined) return elements;
    const now = ttl.now();
    return elements.map((element) => ttl.stamp(element, now));
  }

  #live(elements: readonly unknown[]): readonly unknown[] {
    const ttl = this.#ttl;
    if (ttl === undefined) return elements;
    const now = ttl.now();
    return valuesOf((elements as readonly Stamped[]).filter((element) => ttl.isLive(element, now)));
  }

  /** A read met a list: removes of it what has expired, renews the rest if reads do. What the read gives. */
  #seen(key: unknown, namespace: BinaryKey, stored: readonly Stamped[]): readonly unknown[] {
    const ttl = this.#ttl;
    if (ttl === undefined || stored.length === 0) return stored;
    const now = ttl.now();
    const live = stored.filter((element) => ttl.isLive(element, now));
    const isRenewed = live.some((element) => ttl.isRenewable(element, now));
    if ((isRenewed || live.length < stored.length) && this.#isCurrent(key, namespace, stored)) {
      const kept = isRenewed ? live.map(({ value }) => ttl.stamp(value, now)) : live;
      this.#replace(key, namespace, kept);
    }
    return valuesOf(ttl.returnsExpired ? stored : live);
  }

  async #dropExpired(key: unknown, namespace: BinaryKey, now: number): Promise<void> {
    const version = this.#table.versionOf(key, namespace);
    const stored = elementsOf(await this.#table.rowsOf(key, namespace)) as Stamped[];
    const live = stored.filter((element) => this.#ttl?.isLive(element, now));
    if (live.length === stored.length || version !== this.#table.versionOf(key, namespace)) return;
    this.#replace(key, namespace, live);
  }

  /** Whether memory still knows the list as it was read: nothing was appended or replaced since. */
  #isCurrent(key: unknown, namespace: BinaryKey, stored: readonly Stamped[]): boolean {
    const rows = this.#table.knownRows(key, namespace);
    if (rows === undefined) return false;
    const now = elementsOf(rows);
    return now.length === stored.length && now.every((element, i) => element === stored[i]);
  }
}

function elementsOf(rows: PresentRows): unknown[] {
  const all: unknown[] = [];
  for (const elements of rows.values()) for (const element of elements as readonly unknown[]) all.push(element);
  return all;
}

function valuesOf(elements: readonly Stamped[]): readonly unknown[] {
  return Object.freeze(elements.map(({ value }) => value));
}
