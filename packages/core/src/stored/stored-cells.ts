/**
 * The table of a state that has several rows per key and whose rest is in a store: list and map state.
 *
 * Invariants:
 * - A cell of a layer that is `whole` says everything about its key: neither lower layers nor the store are asked.
 */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { KeyIdentity } from "../contracts/codec.js";
import type { StoreEntry } from "../contracts/store.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { keyGroupOf } from "../key/key-groups.js";
import { DELETED } from "../table/epoch.js";
import type { FrozenRows } from "../table/frozen-rows.js";
import { sortedByKey } from "../table/sorted.js";
import { CELL_OFFSET, type StateTable } from "../table/state-table.js";
import { groupOf, ownedGroupOf, type TableOptions } from "../table/table-options.js";
import { lazily } from "./lazily.js";
import { type FlatRow, flagsOf, flatten, joined, LayerCell } from "./layer-cell.js";
import { Layers } from "./layers.js";
import type { OverlayRow } from "./merged-scan.js";
import { type MetRow, scanGroups } from "./scan-groups.js";
import type { StoreAccess } from "./store-access.js";
import { prefixRange, statePrefix, valueReader } from "./store-entry.js";

/** How the rows of a cell become entries. */
export interface RowFormat {
  /** The part of a row's key behind the cell's. */
  encode(sub: KeyIdentity): BinaryKey;
  decode(key: BinaryKey, offset: number): KeyIdentity;
  write(content: unknown, out: ByteWriter): void;
  read(value: ByteReader): unknown;
  /** How many values a row has, for estimating what it takes. */
  valuesOf(content: unknown): number;
  /** Estimated bytes of a value in a layer. */
  valueBytes(): number;
  readonly flags: number;
  /** What stands for the row at the key of the cell itself, in states that have one. */
  readonly wholeSub?: KeyIdentity;
}

/** Rows that are there, by what tells them apart. */
export type PresentRows = ReadonlyMap<KeyIdentity, unknown>;

/** A row that a scan met; the key of its cell ends at `end`. */
export type CellRow = MetRow & { readonly end: number };

interface CellPlace {
  readonly identity: KeyIdentity;
  readonly group: number;
}

export class StoredCells implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #access: StoreAccess;
  readonly #format: RowFormat;
  readonly #layers: Layers<LayerCell>;
  #version = 0;

  constructor(options: TableOptions, access: StoreAccess, format: RowFormat) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#access = access;
    this.#format = format;
    this.#layers = new Layers({
      budget: access.budget,
      valueBytes: () => format.valueBytes(),
      valuesOf: (cell) => this.#valuesIn(cell),
      join: joined,
    });
  }

  /** Not known: the rest is in the store. */
  get liveRows(): number {
    return Number.POSITIVE_INFINITY;
  }

  get writtenBytes(): number {
    return this.#layers.writtenValues * this.#format.valueBytes();
  }

  /** Values that were written in the epoch. */
  get writtenValues(): number {
    return this.#layers.writtenValues;
  }

  /** The content of one row, or `undefined`; a promise only if the store has to be waited for. */
  find(key: unknown, namespace: BinaryKey, sub: KeyIdentity): unknown {
    const place = this.#place(key, namespace);
    const known = this.#known(place.identity, sub);
    if (known !== undefined) return present(known);
    return this.#access.reads.isSync ? this.#fetchSync(place, sub) : this.#fetch(place, sub);
  }

  /** As `find`, of a store that can be read without a promise. */
  findSync(key: unknown, namespace: BinaryKey, sub: KeyIdentity): unknown {
    const place = this.#place(key, namespace);
    const known = this.#known(place.identity, sub);
    return known === undefined ? this.#fetchSync(place, sub) : present(known);
  }

  /** What memory knows of a row as it is now: `undefined` if it is deleted, or not known. */
  known(key: unknown, namespace: BinaryKey, sub: KeyIdentity): unknown {
    return present(this.#known(this.#options.address.identity(key, namespace), sub));
  }

  /** All rows of a key, ascending by encoded key; a promise only if the store has to be waited for. */
  rowsOf(key: unknown, namespace: BinaryKey): PresentRows | Promise<PresentRows> {
    const place = this.#place(key, namespace);
    return this.#merged(place.identity, undefined) ?? this.#scanned(place);
  }

  /** All rows of a key, if memory knows them. */
  knownRows(key: unknown, namespace: BinaryKey): PresentRows | undefined {
    return this.#merged(this.#options.address.identity(key, namespace), undefined);
  }

  /** Writes a row, whose content the state owns. */
  put(key: unknown, namespace: BinaryKey, sub: KeyIdentity, content: unknown): void {
    const cell = this.#cellToWrite(key, namespace);
    this.#write(cell, sub, content);
  }

  /** Deletes a row, without looking whether it is there. */
  remove(key: unknown, namespace: BinaryKey, sub: KeyIdentity): void {
    const cell = this.#cellToWrite(key, namespace);
    if (cell.isWhole) this.#drop(cell, sub);
    else this.#write(cell, sub, DELETED);
  }

  /** Deletes all rows of a key, without looking whether there are any. */
  clear(key: unknown, namespace: BinaryKey): void {
    const cell = this.#cellToWrite(key, namespace);
    for (const sub of [...cell.rows.keys()]) this.#drop(cell, sub);
    if (cell.isWhole) return;
    cell.isWhole = true;
    this.#layers.gotEntries(1);
    this.#layers.wrote(1);
  }

  /** A number that is another one after each write to a key. */
  versionOf(key: unknown, namespace: BinaryKey): number {
    const identity = this.#options.address.identity(key, namespace);
    return this.#layers.unappliedOf(identity)?.version ?? 0;
  }

  /** What the current epoch has of a key. */
  written(key: unknown, namespace: BinaryKey): LayerCell | undefined {
    return this.#layers.written(this.#options.address.identity(key, namespace));
  }

  /** A row of the current epoch is about to get more values. */
  touch(key: unknown, namespace: BinaryKey): void {
    this.#cellToWrite(key, namespace);
  }

  /** A row of the current epoch got more values. */
  grew(values: number): void {
    this.#layers.wrote(values);
  }

  /** The rows that are present, by key group, ascending by key; in chunks. */
  cells(): AsyncGenerator<readonly CellRow[], void, undefined> {
    const scan = { ...this.#options, reads: this.#access.reads, overlay: this.#overlay() };
    return scanGroups(scan, {
      stored: (entry) => this.met(entry),
      changed: (key, content) => ({ ...this.#options.address.decode(key, CELL_OFFSET), key, content }),
    });
  }

  /** The row that an entry of the store is. */
  met({ key, value }: StoreEntry): CellRow {
    return { ...this.#options.address.decode(key, CELL_OFFSET), key, content: this.#read(value) };
  }

  freeze(): FrozenRows {
    const { identities, rows, entries } = this.#layers.freeze(this.#options.epoch.number);
    const flat = lazily(() =>
      rows.flatMap(({ content }, at) => [...flatten(identities[at] as KeyIdentity, content, this.#format.wholeSub)]),
    );
    const rowAt = (at: number): FlatRow => flat()[at] as FlatRow;
    return {
      stateId: this.stateId,
      count: entries,
      groupAt: (at) => groupOf(this.#options, rowAt(at).identity),
      isDroppedAt: () => false,
      sortKeyAt: (at) => this.#keyInState(rowAt(at)),
      appendAt: (at, block) => {
        const row = rowAt(at);
        const out = block.append(this.#keyInState(row), flagsOf(row, this.#format.flags));
        if (row.content !== DELETED) this.#format.write(row.content, out);
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

  #place(key: unknown, namespace: BinaryKey): CellPlace {
    const identity = this.#options.address.identity(key, namespace);
    return { identity, group: ownedGroupOf(this.#options, key) };
  }

  #cellToWrite(key: unknown, namespace: BinaryKey): LayerCell {
    const identity = this.#options.address.identity(key, namespace);
    let cell = this.#layers.written(identity);
    if (cell === undefined) {
      ownedGroupOf(this.#options, key);
      cell = new LayerCell();
      this.#layers.write(identity, cell, 0);
    }
    cell.version = ++this.#version;
    return cell;
  }

  #write(cell: LayerCell, sub: KeyIdentity, content: unknown): void {
    const before = cell.rows.get(sub);
    if (before === undefined && !this.#isInClear(cell, sub)) this.#layers.gotEntries(1);
    cell.rows.set(sub, content);
    cell.last = sub;
    this.#layers.wrote(this.#values(content) - (before === undefined ? 0 : this.#values(before)));
  }

  #drop(cell: LayerCell, sub: KeyIdentity): void {
    const content = cell.rows.get(sub);
    if (content === undefined) return;
    if (!this.#isInClear(cell, sub)) this.#layers.gotEntries(-1);
    cell.rows.delete(sub);
    if (cell.last === sub) cell.last = undefined;
    this.#layers.wrote(-this.#values(content));
  }

  /** Whether the row and the clearing of its cell are one entry. */
  #isInClear(cell: LayerCell, sub: KeyIdentity): boolean {
    return cell.isWhole && sub === this.#format.wholeSub;
  }

  #values(content: unknown): number {
    return content === DELETED ? 1 : this.#format.valuesOf(content);
  }

  /** What memory knows of a row: its content, DELETED, or nothing. */
  #known(identity: KeyIdentity, sub: KeyIdentity): unknown {
    for (let row = this.#layers.rowOf(identity); row !== undefined; row = row.older) {
      const cell = row.content;
      const content = cell.rows.get(sub);
      if (content !== undefined) return content;
      if (cell.isWhole) return DELETED;
    }
    return undefined;
  }

  #fetch(place: CellPlace, sub: KeyIdentity): Promise<unknown> {
    return this.#access.reads.get(this.#rowKey(place, sub), (stored) => {
      // It may have been written meanwhile.
      const known = this.#known(place.identity, sub);
      return known === undefined ? this.#keep(place.identity, sub, stored) : present(known);
    });
  }

  #fetchSync(place: CellPlace, sub: KeyIdentity): unknown {
    return this.#keep(place.identity, sub, this.#access.reads.getSync(this.#rowKey(place, sub)));
  }

  #keep(identity: KeyIdentity, sub: KeyIdentity, stored: Uint8Array | undefined): unknown {
    const content = stored === undefined ? DELETED : this.#read(stored);
    const { rows } = this.#layers.cleanRow(identity, emptyCell);
    const before = rows.get(sub);
    rows.set(sub, content);
    this.#layers.kept(this.#values(content) - (before === undefined ? 0 : this.#values(before)));
    return present(content);
  }

  /** All rows of a key, if memory knows them or is given what the store has. */
  #merged(identity: KeyIdentity, stored: PresentRows | undefined): PresentRows | undefined {
    const known: LayerCell[] = [];
    for (let row = this.#layers.rowOf(identity); row !== undefined; row = row.older) {
      const cell = row.content;
      known.push(cell);
      if (cell.isWhole) break;
    }
    const isWhole = known.at(-1)?.isWhole === true;
    if (!isWhole && stored === undefined) return undefined;
    const rows = new Map(isWhole ? [] : stored);
    for (const cell of known.reverse()) {
      for (const [sub, content] of cell.rows) {
        if (content === DELETED) rows.delete(sub);
        else rows.set(sub, content);
      }
    }
    return new Map(sortedByKey([...rows], ([sub]) => this.#format.encode(sub)));
  }

  async #scanned(place: CellPlace): Promise<PresentRows> {
    const prefix = this.#rowKey(place, undefined);
    while (true) {
      const { applies } = this.#access.reads;
      const rows = new Map<KeyIdentity, unknown>();
      for await (const { key, value } of this.#access.reads.scan(prefixRange(prefix))) {
        rows.set(this.#format.decode(key, prefix.length), this.#read(value));
      }
      if (applies !== this.#access.reads.applies) continue;
      this.#keepWhole(place.identity, rows);
      return this.#merged(place.identity, rows) ?? rows;
    }
  }

  #keepWhole(identity: KeyIdentity, rows: PresentRows): void {
    const cell = this.#layers.cleanRow(identity, emptyCell);
    const before = this.#valuesIn(cell);
    cell.isWhole = true;
    cell.rows.clear();
    for (const [sub, content] of rows) cell.rows.set(sub, content);
    this.#layers.kept(this.#valuesIn(cell) - before);
  }

  #valuesIn(cell: LayerCell): number {
    let values = cell.isWhole ? 1 : 0;
    for (const content of cell.rows.values()) values += this.#values(content);
    return values;
  }

  #read(stored: Uint8Array): unknown {
    return this.#format.read(valueReader(stored));
  }

  #rowKey({ identity, group }: CellPlace, sub: KeyIdentity | undefined): BinaryKey {
    const cell = joinKeys(statePrefix(group, this.stateId), this.#options.address.encode(identity));
    return sub === undefined ? cell : joinKeys(cell, this.#format.encode(sub));
  }

  #keyInState({ identity, sub }: FlatRow): BinaryKey {
    const cell = this.#options.address.encode(identity);
    return sub === undefined ? cell : joinKeys(cell, this.#format.encode(sub));
  }

  /** What the store does not have yet, by key group, ascending by key. */
  #overlay(): Map<number, OverlayRow<unknown>[]> {
    const newest = new Map<KeyIdentity, LayerCell>();
    for (const { identities, rows } of this.#layers.unapplied) {
      for (const [at, { content: cell }] of rows.entries()) {
        const identity = identities[at] as KeyIdentity;
        const older = newest.get(identity);
        newest.set(identity, older === undefined ? cell : joined(older, cell));
      }
    }
    const groups = new Map<number, OverlayRow<unknown>[]>();
    const { wholeSub } = this.#format;
    for (const row of [...newest].flatMap(([identity, cell]) => [...flatten(identity, cell, wholeSub)])) {
      const { address, maxParallelism } = this.#options;
      const group = keyGroupOf(address.hash(row.identity), maxParallelism);
      const rows = groups.get(group) ?? [];
      groups.set(group, rows);
      const key = joinKeys(statePrefix(group, this.stateId), this.#keyInState(row));
      rows.push({ key, clears: row.clears, content: present(row.content) });
    }
    for (const rows of groups.values()) rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return groups;
  }
}

function emptyCell(): LayerCell {
  return new LayerCell();
}

function present(content: unknown): unknown {
  return content === DELETED ? undefined : content;
}
