/** A row of a state that has several rows per key. */

/** The row that stands for the whole cell: it removes all older rows of the cell, and may carry content of its own. */
export const WHOLE_CELL: unique symbol = Symbol("whole cell");

export class ElementRow<Cell, Sub> {
  readonly cell: Cell;
  readonly sub: Sub | typeof WHOLE_CELL;
  value: unknown;
  epoch: number;

  constructor(place: { readonly cell: Cell; readonly sub: Sub | typeof WHOLE_CELL }, value: unknown, epoch: number) {
    this.cell = place.cell;
    this.sub = place.sub;
    this.value = value;
    this.epoch = epoch;
  }
}
