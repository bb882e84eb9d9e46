/**
 * The table of map state and broadcast state: one row per field of a key.
 *
 * Invariants:
 * - The table is complete: a field without a row is absent.
 * - A deleted field keeps a row with DELETED, and a cleared cell its WHOLE_CELL row, until the checkpoint that holds the
 *   deletion has completed.
 * - A clear leaves no row of before in the cell; rows of the current epoch that it removes are DROPPED.
 */

import { verify } from "../assert.js";
import type { ByteReader } from "../bytes/byte-reader.js";
import type { KeyCodec, KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY, joinKeys } from "../key/binary-key.js";
import { FLAG_CLEAR, FLAG_DELETE } from "../segment/entry-block.js";
import { type CellPlace, CellTable } from "./cell-table.js";
import { ElementRow, WHOLE_CELL } from "./element-row.js";
import { DELETED, DROPPED } from "./epoch.js";
import { type FrozenRows, frozenObjects, type RowLayout } from "./frozen-rows.js";
import { RowMeter } from "./row-meter.js";
import { sortedByKey } from "./sorted.js";
import type { StateTable } from "./state-table.js";
import type { TableOptions } from "./table-options.js";

type FieldRow = ElementRow<MapCell, KeyIdentity>;

class MapCell {
  readonly identity: KeyIdentity;
  readonly group: number;
  rows = new Map<KeyIdentity, FieldRow>();
  /** The clear that awaits its checkpoint. */
  clear: FieldRow | undefined;
  /** Rows that are not DELETED. */
  live = 0;

  constructor({ identity, group }: CellPlace) {
    this.identity = identity;
    this.group = group;
  }
}

export interface MapTableOptions extends TableOptions {
  readonly field: KeyCodec<unknown>;
}

export class MapTable implements StateTable {
  readonly stateId: number;
  readonly #options: MapTableOptions;
  readonly #cells: CellTable<MapCell>;
  readonly #meter: RowMeter;
  #dirty: FieldRow[] = [];
  #putCount = 0;
  #liveRows = 0;

  constructor(options: MapTableOptions) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#cells = new CellTable(options, (place) => new MapCell(place));
    this.#meter = new RowMeter(options.codec);
  }

  get liveRows(): number {
    return this.#liveRows;
  }

  get writtenBytes(): number {
    return this.#dirty.length * this.#meter.rowBytes;
  }

  get(key: unknown, namespace: BinaryKey, field: unknown): unknown {
    const identity = this.#options.field.identity(field);
    const row = this.#cells.find(key, namespace)?.rows.get(identity);
    return row === undefined || row.value === DELETED ? undefined : row.value;
  }

  /** Whether a key has no fields. */
  isEmpty(key: unknown, namespace: BinaryKey): boolean {
    return (this.#cells.find(key, namespace)?.live ?? 0) === 0;
  }

  /** The values of a key, lazily, in no order. */
  *values(key: unknown, namespace: BinaryKey): Generator<unknown, void, undefined> {
    for (const { value } of this.#cells.find(key, namespace)?.rows.values() ?? []) if (value !== DELETED) yield value;
  }

  /** All fields with their values, by cell, lazily, in no order; `undefined` for a field that is gone. May be changed meanwhile. */
  *fields(): Generator<readonly [KeyIdentity, readonly [unknown, unknown] | undefined], void, undefined> {
    for (const cell of this.#cells.all()) {
      for (const row of cell.rows.values()) {
        // A clear gives the cell other rows.
        const isGone = row.value === DELETED || cell.rows.get(row.sub as KeyIdentity) !== row;
        yield [cell.identity, isGone ? undefined : [this.#fieldOf(row), row.value]];
      }
    }
  }

  /** Stores `value`, which the state owns. */
  put(key: unknown, namespace: BinaryKey, field: unknown, value: unknown): void {
    const sub = this.#options.field.identity(field);
    if (this.#meter.isDue(this.#putCount + 1)) this.#meter.sample(value);
    this.#putIn(this.#cells.findOrInsert(key, namespace), sub, value);
  }

  /** Stores values, which the state owns; all or, if a field is refused, none. */
  putAll(key: unknown, namespace: BinaryKey, entries: readonly (readonly [unknown, unknown])[]): void {
    const subs = entries.map(([field, value]) => [this.#options.field.identity(field), value] as const);
    if (subs.length === 0) {
      this.#cells.find(key, namespace);
      return;
    }
    this.#meter.sampleNext(
      this.#putCount,
      subs.map(([, value]) => value),
    );
    const cell = this.#cells.findOrInsert(key, namespace);
    for (const [sub, value] of subs) this.#putIn(cell, sub, value);
  }

  #putIn(cell: MapCell, sub: KeyIdentity, value: unknown): void {
    this.#putCount++;
    const row = cell.rows.get(sub);
    if (row === undefined || row.value === DELETED) this.#count(cell, 1);
    if (row === undefined) this.#insert({ cell, sub }, value);
    else this.#write(row, value);
  }

  remove(key: unknown, namespace: BinaryKey, field: unknown): void {
    const sub = this.#options.field.identity(field);
    const cell = this.#cells.find(key, namespace);
    const row = cell?.rows.get(sub);
    if (cell === undefined || row === undefined || row.value === DELETED) return;
    this.#count(cell, -1);
    this.#write(row, DELETED);
  }

  /** Removes all fields of a key. */
  clear(key: unknown, namespace: BinaryKey): void {
    const cell = this.#cells.find(key, namespace);
    if (cell === undefined || cell.rows.size === 0) return;
    const { number } = this.#options.epoch;
    for (const row of cell.rows.values()) if (row.epoch === number) row.value = DROPPED;
    this.#count(cell, -cell.live);
    cell.rows = new Map();
    if (cell.clear?.epoch === number) return;
    cell.clear = new ElementRow<MapCell, KeyIdentity>({ cell, sub: WHOLE_CELL }, DELETED, number);
    this.#markDirty(cell.clear);
  }

  /** Fields and values of a key, ascending by encoded field, as they are now. */
  entries(key: unknown, namespace: BinaryKey): (readonly [unknown, unknown])[] {
    const present: FieldRow[] = [];
    for (const row of this.#cells.find(key, namespace)?.rows.values() ?? []) {
      if (row.value !== DELETED) present.push(row);
    }
    return sortedByKey(present, (row) => this.#subKey(row)).map((row) => [this.#fieldOf(row), row.value] as const);
  }

  /** Identities of the keys that have a field with such a value, by key group, ascending by encoded key, as they are now. */
  identities(isPresent?: (value: unknown) => boolean): Generator<KeyIdentity[], void, undefined> {
    if (isPresent === undefined) return this.#cells.identities((cell) => cell.live > 0);
    return this.#cells.identities(({ rows }) => {
      for (const { value } of rows.values()) if (value !== DELETED && isPresent(value)) return true;
      return false;
    });
  }

  freeze(): FrozenRows {
    verify(() => this.#countedRows() === this.#liveRows, "the number of present fields is kept up to date");
    const rows = this.#dirty;
    this.#dirty = [];
    return frozenObjects(this.stateId, rows, this.#layout);
  }

  load(key: BinaryKey, flags: number, value: ByteReader): void {
    const { field, codec } = this.#options;
    const { cell, end } = this.#cells.locate(key);
    if ((flags & FLAG_CLEAR) !== 0) {
      this.#count(cell, -cell.live);
      cell.rows = new Map();
    } else {
      const sub = field.identity(field.decode(key, end).key);
      const before = cell.rows.size;
      if ((flags & FLAG_DELETE) !== 0) cell.rows.delete(sub);
      else cell.rows.set(sub, new ElementRow<MapCell, KeyIdentity>({ cell, sub }, codec.read(value), 0));
      this.#count(cell, cell.rows.size - before);
    }
    this.#cells.dropIf(cell, cell.rows.size === 0);
  }

  #countedRows(): number {
    let rows = 0;
    for (const cell of this.#cells.all()) for (const { value } of cell.rows.values()) if (value !== DELETED) rows++;
    return rows;
  }

  #count(cell: MapCell, change: number): void {
    cell.live += change;
    this.#liveRows += change;
  }

  #write(row: FieldRow, value: unknown): void {
    const { epoch } = this.#options;
    if (row.epoch === epoch.number) {
      row.value = value;
    } else if (row.epoch > epoch.settled) {
      this.#insert({ cell: row.cell, sub: row.sub as KeyIdentity }, value);
    } else {
      row.value = value;
      row.epoch = epoch.number;
      this.#markDirty(row);
    }
  }

  /** A new row, in the place of an old one if there is one. */
  #insert(place: { readonly cell: MapCell; readonly sub: KeyIdentity }, value: unknown): void {
    const row: FieldRow = new ElementRow<MapCell, KeyIdentity>(place, value, this.#options.epoch.number);
    place.cell.rows.set(place.sub, row);
    this.#markDirty(row);
  }

  #markDirty(row: FieldRow): void {
    this.#dirty.push(row);
  }

  #subKey(row: FieldRow): BinaryKey {
    return row.sub === WHOLE_CELL ? EMPTY_KEY : this.#options.field.encode(this.#fieldOf(row));
  }

  #keyOf(row: FieldRow): BinaryKey {
    return joinKeys(this.#options.address.encode(row.cell.identity), this.#subKey(row));
  }

  #fieldOf(row: FieldRow): unknown {
    return this.#options.field.fromIdentity(row.sub as KeyIdentity);
  }

  readonly #layout: RowLayout<FieldRow> = {
    groupOf: (row) => row.cell.group,
    isDropped: (row) => row.value === DROPPED,
    keyOf: (row) => this.#keyOf(row),
    flagsOf: (row) =>
      (row.value === DELETED ? FLAG_DELETE : (this.#options.valueFlags ?? 0)) |
      (row.sub === WHOLE_CELL ? FLAG_CLEAR : 0),
    write: (row, out) => {
      if (row.value !== DELETED) this.#options.codec.write(row.value, out);
    },
    completed: (row) => {
      const { cell } = row;
      if (row.sub === WHOLE_CELL) {
        if (cell.clear === row) cell.clear = undefined;
      } else if (row.value === DELETED && cell.rows.get(row.sub) === row) {
        cell.rows.delete(row.sub);
      }
      this.#cells.dropIf(cell, cell.rows.size === 0 && cell.clear === undefined);
    },
  };
}
