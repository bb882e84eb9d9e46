/**
 * The table of map state and broadcast state: one row per field of a key.
 *
 * Invariants:
 * - The table is complete: a field without a row is absent.
 * - The first write of an epoch decides how the cell is written: packed, or each written field by itself (`map-cell.ts`).
 * - Packed: while a frozen table has the map of rows, neither it nor its rows change. A deleted field has no row.
 * - By themselves: a deleted field keeps a row with DELETED until the checkpoint that holds the deletion has completed.
 * - A clear leaves no row of before in the cell; rows of the current epoch that it removes are DROPPED.
 */

import { verify } from "../assert.js";
import type { ByteReader } from "../bytes/byte-reader.js";
import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "../segment/entry-block.js";
import { eachPackedField, PACKED_FIELDS_MAX } from "../segment/packed-fields.js";
import { CellTable } from "./cell-table.js";
import { DELETED, DROPPED } from "./epoch.js";
import { frozenMaps, type MapTableOptions, type WrittenToMap } from "./frozen-maps.js";
import type { FrozenRows } from "./frozen-rows.js";
import { CellWrite, FieldRow, MapCell } from "./map-cell.js";
import { RowMeter } from "./row-meter.js";
import { sortedByKey } from "./sorted.js";
import { readExpiry } from "./stamped.js";
import type { StateTable } from "./state-table.js";

/** A cell with more rows, deleted ones included, does not become packed: its live rows would have to be looked for. */
const SIFTED_ROWS_MAX = 2 * PACKED_FIELDS_MAX;

export class MapTable implements StateTable {
  readonly stateId: number;
  readonly #options: MapTableOptions;
  readonly #cells: CellTable<MapCell>;
  readonly #meter: RowMeter;
  #written: WrittenToMap[] = [];
  /** Rows made or changed in the epoch. */
  #writtenRows = 0;
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
    return this.#writtenRows * this.#meter.rowBytes;
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
      for (const sub of cell.rows.keys()) {
        // A write may have given the cell other rows.
        const row = cell.rows.get(sub);
        const isGone = row === undefined || row.value === DELETED;
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
    const write = this.#open(cell);
    const before = cell.rows.get(sub);
    if (before === undefined || before.value === DELETED) {
      if (write.packed !== undefined && cell.live >= cell.packedFieldsMax) this.#split(write);
      this.#count(cell, 1);
    }
    this.#set(write, sub, value);
  }

  remove(key: unknown, namespace: BinaryKey, field: unknown): void {
    const sub = this.#options.field.identity(field);
    const cell = this.#cells.find(key, namespace);
    const row = cell?.rows.get(sub);
    if (cell === undefined || row === undefined || row.value === DELETED) return;
    const write = this.#open(cell);
    this.#count(cell, -1);
    if (write.packed === undefined) this.#set(write, sub, DELETED);
    else cell.rows.delete(sub);
  }

  /** Removes all fields of a key. */
  clear(key: unknown, namespace: BinaryKey): void {
    const cell = this.#cells.find(key, namespace);
    if (cell === undefined || cell.rows.size === 0) return;
    const { number } = this.#options.epoch;
    const write = cell.write?.epoch === number ? cell.write : this.#newWrite(cell);
    if (write.packed === undefined) {
      for (const row of cell.rows.values()) if (row.epoch === number) row.value = DROPPED;
    }
    this.#count(cell, -cell.live);
    cell.rows = new Map();
    cell.packedFieldsMax = PACKED_FIELDS_MAX;
    this.#pack(write);
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
    const written = this.#written;
    this.#written = [];
    this.#writtenRows = 0;
    return frozenMaps(this.#options, written, (row) => this.#completed(row));
  }

  load(key: BinaryKey, flags: number, value: ByteReader): void {
    const { field, codec } = this.#options;
    const { cell, end } = this.#cells.locate(key);
    if ((flags & FLAG_CLEAR) !== 0) {
      this.#count(cell, -cell.live);
      // Nobody else has these rows yet, and mostly there are none.
      cell.rows.clear();
      cell.packedFieldsMax = PACKED_FIELDS_MAX;
      this.#setSplit(cell, (flags & FLAG_PACKED) === 0);
      if ((flags & FLAG_PACKED) !== 0) this.#loadPacked(cell, flags, value);
    } else {
      cell.sawField(key.length - end + value.remaining);
      const sub = field.identity(field.decode(key, end).key);
      const before = cell.rows.size;
      if ((flags & FLAG_DELETE) !== 0) cell.rows.delete(sub);
      else cell.rows.set(sub, new FieldRow({ cell, sub }, codec.read(value), 0));
      this.#count(cell, cell.rows.size - before);
    }
    this.#cells.dropIf(cell, cell.rows.size === 0);
  }

  #loadPacked(cell: MapCell, flags: number, packed: ByteReader): void {
    if ((flags & FLAG_EXPIRES) !== 0) readExpiry(packed);
    const { field, codec } = this.#options;
    eachPackedField(packed, (encoded, value) => {
      const sub = field.identity(field.decode(encoded, 0).key);
      cell.rows.set(sub, new FieldRow({ cell, sub }, codec.read(value), 0));
    });
    this.#count(cell, cell.rows.size);
  }

  #countedRows(): number {
    let rows = 0;
    for (const cell of this.#cells.all()) {
      verify(() => cell.live === cell.liveRows().size, "the number of live rows is kept up to date");
      rows += cell.entries;
    }
    return rows;
  }

  #count(cell: MapCell, change: number): void {
    this.#liveRows -= cell.entries;
    cell.live += change;
    this.#liveRows += cell.entries;
  }

  #setSplit(cell: MapCell, isSplit: boolean): void {
    this.#liveRows -= cell.entries;
    cell.isSplit = isSplit;
    this.#liveRows += cell.entries;
  }

  /** The write of the current epoch. The first one decides how the cell is written. */
  #open(cell: MapCell): CellWrite {
    if (cell.write?.epoch === this.#options.epoch.number) return cell.write;
    const write = this.#newWrite(cell);
    const isSmall = cell.live <= cell.packedFieldsMax && cell.rows.size <= SIFTED_ROWS_MAX;
    if (isSmall) {
      if (write.isShared || cell.rows.size > cell.live) cell.rows = cell.liveRows();
      this.#pack(write);
    } else if (!cell.isSplit || write.isShared) {
      this.#split(write);
    }
    return write;
  }

  #newWrite(cell: MapCell): CellWrite {
    const write = new CellWrite(cell, this.#options.epoch);
    cell.write = write;
    this.#written.push(write);
    this.#writtenRows++;
    return write;
  }

  /** The cell is written as it is when the epoch ends. */
  #pack(write: CellWrite): void {
    const { cell } = write;
    write.packed = cell.rows;
    cell.packedEpoch = write.epoch;
    this.#setSplit(cell, false);
  }

  /** All fields are written anew, by themselves, so that none stands above a packed entry. */
  #split(write: CellWrite): void {
    const { cell } = write;
    const rows = cell.liveRows();
    write.packed = undefined;
    write.isCleared = true;
    cell.rows = new Map();
    for (const [sub, { value }] of rows) this.#insert(write, sub, value);
    this.#setSplit(cell, true);
  }

  #set(write: CellWrite, sub: KeyIdentity, value: unknown): void {
    const { epoch } = this.#options;
    const row = write.cell.rows.get(sub);
    if (row?.epoch === epoch.number) {
      row.value = value;
    } else if (row === undefined || row.epoch > epoch.settled || write.isShared) {
      this.#insert(write, sub, value);
    } else {
      row.value = value;
      row.epoch = epoch.number;
      this.#noteRow(write, row);
    }
  }

  /** A new row, in the place of an old one if there is one. */
  #insert(write: CellWrite, sub: KeyIdentity, value: unknown): void {
    const { cell } = write;
    const row = new FieldRow({ cell, sub }, value, this.#options.epoch.number);
    cell.rows.set(sub, row);
    this.#noteRow(write, row);
  }

  /** A row of a packed cell is written with the cell. */
  #noteRow({ packed }: CellWrite, row: FieldRow): void {
    this.#writtenRows++;
    if (packed === undefined) this.#written.push(row);
  }

  #completed(written: WrittenToMap): void {
    const { cell } = written;
    if (written instanceof CellWrite) {
      if (cell.write === written) {
        cell.write = undefined;
        if (written.isTooLarge) this.#tooLarge(cell);
      }
    } else if (written.value === DELETED && cell.rows.get(written.sub) === written) {
      cell.rows.delete(written.sub);
    }
    this.#cells.dropIf(cell, cell.rows.size === 0 && cell.write === undefined);
  }

  /** The checkpoint has each field by itself, and packing is tried again when half of them are gone. */
  #tooLarge(cell: MapCell): void {
    cell.packedFieldsMax = cell.live >> 1;
    this.#setSplit(cell, true);
  }

  #subKey(row: FieldRow): BinaryKey {
    return this.#options.field.encode(this.#fieldOf(row));
  }

  #fieldOf(row: FieldRow): unknown {
    return this.#options.field.fromIdentity(row.sub);
  }
}
