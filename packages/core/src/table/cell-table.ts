/** The cells of a state that has several rows per key. */

import type { KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import { CellIndex } from "./cell-index.js";
import { sortedByGroup } from "./sorted.js";
import { CELL_OFFSET } from "./state-table.js";
import { ownedGroupOf, type TableOptions } from "./table-options.js";

/** What every cell has. */
export interface CellPlace {
  readonly identity: KeyIdentity;
  readonly group: number;
}

export class CellTable<Cell extends CellPlace> {
  readonly #options: TableOptions;
  readonly #cells = new CellIndex<Cell>();
  readonly #create: (place: CellPlace) => Cell;
  /** The cell that was located last: entries of one cell come one after the other. */
  #located: { readonly prefix: BinaryKey; readonly cell: Cell } | undefined;

  constructor(options: TableOptions, create: (place: CellPlace) => Cell) {
    this.#options = options;
    this.#create = create;
  }

  /** @throws {StateBackendError} KEY_NOT_OWNED or VALUE_INVALID */
  find(key: unknown, namespace: BinaryKey): Cell | undefined {
    const { address } = this.#options;
    const cell = this.#cells.get(address.isDirect ? (key as KeyIdentity) : address.identity(key, namespace));
    if (cell === undefined) ownedGroupOf(this.#options, key);
    return cell;
  }

  /** @throws {StateBackendError} KEY_NOT_OWNED or VALUE_INVALID */
  findOrInsert(key: unknown, namespace: BinaryKey): Cell {
    const found = this.find(key, namespace);
    if (found !== undefined) return found;
    const identity = this.#options.address.identity(key, namespace);
    return this.#insert({ identity, group: ownedGroupOf(this.#options, key) });
  }

  /** The cell of a composite key, made if there is none, and where the cell's key ends. */
  locate(key: BinaryKey): { readonly cell: Cell; readonly end: number } {
    const last = this.#located;
    if (last !== undefined && key.startsWith(last.prefix)) return { cell: last.cell, end: last.prefix.length };
    const { identity, end } = this.#options.address.decode(key, CELL_OFFSET);
    const cell = this.#cells.get(identity) ?? this.#insert({ identity, group: readUint16(key, 0) });
    this.#located = { prefix: key.slice(0, end) as BinaryKey, cell };
    return { cell, end };
  }

  /** Removes a cell that holds nothing any more. */
  dropIf(cell: Cell, isEmpty: boolean): void {
    if (!isEmpty || this.#cells.get(cell.identity) !== cell) return;
    this.#cells.delete(cell.identity);
    this.#located = undefined;
  }

  /** Identities of the cells for which `isPresent` holds, by key group, ascending by encoded key, as they are now. */
  identities(isPresent: (cell: Cell) => boolean): Generator<KeyIdentity[], void, undefined> {
    const present: Cell[] = [];
    for (const cell of this.#cells.contents()) if (isPresent(cell)) present.push(cell);
    return sortedByGroup(present, (cell) => this.#options.address.sortKey(cell.identity));
  }

  all(): Iterable<Cell> {
    return this.#cells.contents();
  }

  #insert(place: CellPlace): Cell {
    const cell = this.#create(place);
    this.#cells.set(place.identity, cell);
    return cell;
  }
}
