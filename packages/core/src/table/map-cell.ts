/**
 * The fields of one key, and how they were last written.
 *
 *                      first write of an epoch, few fields
 *   fields by themselves ─────────────────────────────▶ packed
 *           ▲                                             │
 *           └── one field too many: all are written anew ─┘
 *           └── too many bytes: known when they were encoded, counts when that checkpoint has completed
 *
 * Invariants:
 * - A cell that is packed is written as a whole: clear and content. So nothing of it in older segments matters, and deletions
 *   leave nothing behind.
 * - No field is ever written by itself above a packed entry, so that what deletes it would have to be kept for ever.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import { PACKED_BYTES_MAX, PACKED_FIELDS_MAX } from "../segment/packed-fields.js";
import type { CellPlace } from "./cell-table.js";
import { DELETED, type Epoch } from "./epoch.js";

export class FieldRow {
  readonly cell: MapCell;
  readonly sub: KeyIdentity;
  value: unknown;
  epoch: number;

  constructor(place: { readonly cell: MapCell; readonly sub: KeyIdentity }, value: unknown, epoch: number) {
    this.cell = place.cell;
    this.sub = place.sub;
    this.value = value;
    this.epoch = epoch;
  }
}

/** That a cell was written in an epoch. */
export class CellWrite {
  readonly cell: MapCell;
  readonly epoch: number;
  /** All fields, if they are written packed. After the epoch neither they nor their rows change. */
  packed: ReadonlyMap<KeyIdentity, FieldRow> | undefined;
  /** Whether a frozen table may have rows of the cell packed, so that none of a former epoch may change. */
  readonly isShared: boolean;
  /** Whether everything older goes; of fields that are written by themselves. */
  isCleared = false;
  /** Whether they turned out to be too many bytes to be packed. */
  isTooLarge = false;

  constructor(cell: MapCell, { number, settled }: Epoch) {
    this.cell = cell;
    this.epoch = number;
    this.isShared = cell.packedEpoch > settled;
  }
}

export class MapCell {
  readonly identity: KeyIdentity;
  readonly group: number;
  rows = new Map<KeyIdentity, FieldRow>();
  /** Rows that are not DELETED. */
  live = 0;
  /** The last write that is in no completed checkpoint. */
  write: CellWrite | undefined;
  /** The last epoch that has the rows of this cell packed. */
  packedEpoch = 0;
  /** Whether in the checkpoints there is an entry for each field, or nothing at all. */
  isSplit = true;
  /** With so many fields it is worth trying to pack them. */
  packedFieldsMax = PACKED_FIELDS_MAX;

  constructor({ identity, group }: CellPlace) {
    this.identity = identity;
    this.group = group;
  }

  /** Present entries, as far as is known. */
  get entries(): number {
    return this.isSplit ? this.live : Math.min(this.live, 1);
  }

  /** Takes a field of a checkpoint that was too large to be packed with others, or that was never packed. */
  sawField(bytes: number): void {
    this.packedFieldsMax = Math.min(this.packedFieldsMax, Math.floor(PACKED_BYTES_MAX / bytes));
  }

  /** The rows that are not deleted, in a map of their own. */
  liveRows(): Map<KeyIdentity, FieldRow> {
    const rows = new Map<KeyIdentity, FieldRow>();
    for (const [sub, row] of this.rows) if (row.value !== DELETED) rows.set(sub, row);
    return rows;
  }
}
