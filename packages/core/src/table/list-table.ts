/**
 * The table of list state: elements in chunks, one row per chunk.
 *
 * A cell is an optional whole (what the last `replace` gave) followed by the chunks appended since. A chunk takes the elements
 * appended in one epoch, up to CHUNK_ELEMENTS, and is keyed by (epoch, index): appending reads nothing.
 *
 * Invariants:
 * - The table is complete: a key without a cell is an empty list.
 * - Only the last chunk grows, and only in its own epoch. All other element arrays never change.
 */

import { assert, verify } from "../assert.js";
import type { ByteReader } from "../bytes/byte-reader.js";
import type { KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY, joinKeys } from "../key/binary-key.js";
import { FLAG_CLEAR, FLAG_DELETE } from "../segment/entry-block.js";
import { type CellPlace, CellTable } from "./cell-table.js";
import { ElementRow, WHOLE_CELL } from "./element-row.js";
import { DELETED, DROPPED } from "./epoch.js";
import { type FrozenRows, frozenObjects, type RowLayout } from "./frozen-rows.js";
import { CHUNK_ELEMENTS, chunkIndex, chunkKey, malformedList, readElements, writeElements } from "./list-elements.js";
import { RowMeter } from "./row-meter.js";
import type { StateTable } from "./state-table.js";
import type { TableOptions } from "./table-options.js";

const NO_ELEMENTS: readonly unknown[] = Object.freeze([]);

/** Encoded (epoch, index) of a chunk. */
type ChunkRow = ElementRow<ListCell, BinaryKey>;

class ListCell {
  readonly identity: KeyIdentity;
  readonly group: number;
  /** What the list was replaced by, or DELETED for a clear that awaits its checkpoint. */
  whole: ChunkRow | undefined;
  chunks: ChunkRow[] = [];
  length = 0;

  constructor({ identity, group }: CellPlace) {
    this.identity = identity;
    this.group = group;
  }
}

export class ListTable implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #cells: CellTable<ListCell>;
  readonly #meter: RowMeter;
  #dirty: ChunkRow[] = [];
  /** Elements written in the epoch. */
  #writtenElements = 0;
  #liveRows = 0;

  constructor(options: TableOptions) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#cells = new CellTable(options, (place) => new ListCell(place));
    this.#meter = new RowMeter(options.codec);
  }

  get liveRows(): number {
    return this.#liveRows;
  }

  get writtenBytes(): number {
    return this.#writtenElements * this.#meter.rowBytes;
  }

  /** The elements of a key in order; frozen. */
  get(key: unknown, namespace: BinaryKey): readonly unknown[] {
    const cell = this.#cells.find(key, namespace);
    if (cell === undefined || cell.length === 0) return NO_ELEMENTS;
    const whole = wholeElements(cell);
    if (cell.chunks.length === 0) return whole;
    const all = [...whole];
    for (const chunk of cell.chunks) for (const element of elementsOf(chunk)) all.push(element);
    return Object.freeze(all);
  }

  /** As `get`, which changes nothing here. Through a time to live it does. */
  peek(key: unknown, namespace: BinaryKey): readonly unknown[] {
    return this.get(key, namespace);
  }

  /** Appends elements, which the state owns. */
  append(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    if (elements.length === 0) return;
    this.#meter.sampleNext(this.#writtenElements, elements);
    const cell = this.#cells.findOrInsert(key, namespace);
    for (const element of elements) this.#openChunk(cell).push(element);
    cell.length += elements.length;
    this.#writtenElements += elements.length;
  }

  /** Replaces the whole list by elements, which the state owns. */
  replace(key: unknown, namespace: BinaryKey, elements: readonly unknown[]): void {
    const found = this.#cells.find(key, namespace);
    if (elements.length === 0 && (found === undefined || found.length === 0)) return;
    this.#meter.sampleNext(this.#writtenElements, elements);
    const cell = this.#cells.findOrInsert(key, namespace);
    const value = elements.length === 0 ? DELETED : Object.freeze([...elements]);
    this.#liveRows += (value === DELETED ? 0 : 1) - liveRowsOf(cell);
    this.#forgetWritten(cell);
    for (const chunk of cell.chunks) if (chunk.epoch === this.#options.epoch.number) chunk.value = DROPPED;
    cell.chunks = [];
    cell.length = elements.length;
    this.#writtenElements += elements.length;
    if (cell.whole?.epoch === this.#options.epoch.number) {
      cell.whole.value = value;
      return;
    }
    const whole: ChunkRow = new ElementRow<ListCell, BinaryKey>(
      { cell, sub: WHOLE_CELL },
      value,
      this.#options.epoch.number,
    );
    cell.whole = whole;
    this.#dirty.push(whole);
  }

  /** Identities of the keys that have such an element, by key group, ascending by encoded key, as they are now. */
  identities(isPresent?: (element: unknown) => boolean): Generator<KeyIdentity[], void, undefined> {
    if (isPresent === undefined) return this.#cells.identities((cell) => cell.length > 0);
    return this.#cells.identities(
      (cell) => wholeElements(cell).some(isPresent) || cell.chunks.some((chunk) => elementsOf(chunk).some(isPresent)),
    );
  }

  /** All cells with an element from about the middle, lazily, in no order. May be changed meanwhile. */
  *cells(): Generator<readonly [KeyIdentity, unknown], void, undefined> {
    for (const cell of this.#cells.all()) yield [cell.identity, middleOf(cell)];
  }

  freeze(): FrozenRows {
    verify(() => this.#countedRows() === this.#liveRows, "the number of chunks is kept up to date");
    const rows = this.#dirty;
    this.#dirty = [];
    this.#writtenElements = 0;
    return frozenObjects(this.stateId, rows, this.#layout);
  }

  load(key: BinaryKey, flags: number, value: ByteReader): void {
    const { cell, end } = this.#cells.locate(key);
    if ((flags & FLAG_CLEAR) !== 0) {
      const elements = (flags & FLAG_DELETE) === 0 ? readElements(this.#options.codec, value) : NO_ELEMENTS;
      this.#liveRows += (elements.length === 0 ? 0 : 1) - liveRowsOf(cell);
      cell.whole =
        elements.length === 0 ? undefined : new ElementRow<ListCell, BinaryKey>({ cell, sub: WHOLE_CELL }, elements, 0);
      cell.chunks = [];
      cell.length = elements.length;
    } else {
      const sub = key.slice(end) as BinaryKey;
      const last = cell.chunks.at(-1);
      if (last !== undefined && (last.sub as BinaryKey) >= sub) throw malformedList();
      const elements = readElements(this.#options.codec, value);
      cell.chunks.push(new ElementRow<ListCell, BinaryKey>({ cell, sub }, elements, 0));
      cell.length += elements.length;
      this.#liveRows++;
    }
    this.#cells.dropIf(cell, cell.length === 0);
  }

  #countedRows(): number {
    let rows = 0;
    for (const cell of this.#cells.all()) rows += liveRowsOf(cell);
    return rows;
  }

  /** What the cell got in this epoch is about to be replaced. */
  #forgetWritten(cell: ListCell): void {
    const { number } = this.#options.epoch;
    if (cell.whole?.epoch === number) this.#writtenElements -= wholeElements(cell).length;
    for (const chunk of cell.chunks) if (chunk.epoch === number) this.#writtenElements -= elementsOf(chunk).length;
  }

  /** The chunk that takes the next element of the current epoch. */
  #openChunk(cell: ListCell): unknown[] {
    const last = cell.chunks.at(-1);
    const isOpen = last !== undefined && last.epoch === this.#options.epoch.number;
    if (isOpen && elementsOf(last).length < CHUNK_ELEMENTS) return elementsOf(last);
    const index = isOpen ? chunkIndex(last.sub as BinaryKey) + 1 : 0;
    const elements: unknown[] = [];
    const sub = chunkKey(this.#options.epoch.number, index);
    const chunk: ChunkRow = new ElementRow<ListCell, BinaryKey>({ cell, sub }, elements, this.#options.epoch.number);
    cell.chunks.push(chunk);
    this.#dirty.push(chunk);
    this.#liveRows++;
    return elements;
  }

  #keyOf(row: ChunkRow): BinaryKey {
    return joinKeys(this.#options.address.encode(row.cell.identity), row.sub === WHOLE_CELL ? EMPTY_KEY : row.sub);
  }

  readonly #layout: RowLayout<ChunkRow> = {
    groupOf: (row) => row.cell.group,
    isDropped: (row) => row.value === DROPPED,
    keyOf: (row) => this.#keyOf(row),
    flagsOf: (row) => (row.value === DELETED ? FLAG_DELETE : 0) | (row.sub === WHOLE_CELL ? FLAG_CLEAR : 0),
    write: (row, out) => {
      if (row.value !== DELETED) writeElements(this.#options.codec, elementsOf(row), out);
    },
    completed: (row) => {
      const { cell } = row;
      if (row.value !== DELETED) return;
      if (cell.whole === row) cell.whole = undefined;
      this.#cells.dropIf(cell, cell.length === 0 && cell.whole === undefined);
    },
  };
}

function elementsOf(row: ChunkRow): unknown[] {
  assert(Array.isArray(row.value), "a chunk holds elements");
  return row.value as unknown[];
}

function wholeElements(cell: ListCell): readonly unknown[] {
  return cell.whole === undefined || cell.whole.value === DELETED ? NO_ELEMENTS : elementsOf(cell.whole);
}

function middleOf(cell: ListCell): unknown {
  const { chunks, length } = cell;
  if (chunks.length > 0) return elementsOf(chunks[chunks.length >> 1] as ChunkRow)[0];
  return wholeElements(cell)[length >> 1];
}

function liveRowsOf(cell: ListCell): number {
  return cell.chunks.length + (cell.whole === undefined || cell.whole.value === DELETED ? 0 : 1);
}
