/** What was written to a map table in one epoch, as entries. */

import type { KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "../segment/entry-block.js";
import { PACKED_BYTES_MAX, PackedFieldWriter } from "../segment/packed-fields.js";
import type { BlockBuilder } from "./block-builder.js";
import { DELETED, DROPPED } from "./epoch.js";
import type { FrozenRows } from "./frozen-rows.js";
import { CellWrite, type FieldRow } from "./map-cell.js";
import type { Stamped } from "./stamped.js";
import type { TableOptions } from "./table-options.js";

/** A field, or a cell: packed, or cleared before the fields that stand behind it. */
export type WrittenToMap = FieldRow | CellWrite;

export interface MapTableOptions extends TableOptions {
  readonly field: KeyCodec<unknown>;
}

interface EncodedField {
  readonly field: BinaryKey;
  readonly row: FieldRow;
}

export function frozenMaps(
  options: MapTableOptions,
  written: readonly WrittenToMap[],
  completed: (row: WrittenToMap) => void,
): FrozenRows {
  const rowAt = (at: number): WrittenToMap => written[at] as WrittenToMap;
  return {
    stateId: options.stateId,
    count: written.length,
    groupAt: (at) => rowAt(at).cell.group,
    isDroppedAt: (at) => isDropped(rowAt(at)),
    sortKeyAt: (at) => keyOf(options, rowAt(at)),
    appendAt(at, block) {
      const row = rowAt(at);
      if (row instanceof CellWrite) appendCell(options, row, block);
      else appendField(options, { key: keyOf(options, row), row }, block);
    },
    completedAt: (at) => completed(rowAt(at)),
  };
}

function isDropped(row: WrittenToMap): boolean {
  return row instanceof CellWrite ? row.packed === undefined && !row.isCleared : row.value === DROPPED;
}

function keyOf(options: MapTableOptions, row: WrittenToMap): BinaryKey {
  const cell = options.address.encode(row.cell.identity);
  return row instanceof CellWrite ? cell : joinKeys(cell, fieldOf(options, row));
}

function fieldOf({ field }: MapTableOptions, row: FieldRow): BinaryKey {
  return field.encode(field.fromIdentity(row.sub));
}

function appendField(
  { codec, valueFlags = 0 }: MapTableOptions,
  { key, row }: { readonly key: BinaryKey; readonly row: FieldRow },
  block: BlockBuilder,
): void {
  if (row.value === DELETED) block.append(key, FLAG_DELETE);
  else codec.write(row.value, block.append(key, valueFlags));
}

function appendCell(options: MapTableOptions, write: CellWrite, block: BlockBuilder): void {
  const key = keyOf(options, write);
  const fields = sortedFields(options, write);
  write.isTooLarge = fields.length > 0 && !appendPacked(options, { key, fields }, block);
  if (fields.length > 0 && !write.isTooLarge) return;
  block.append(key, FLAG_CLEAR | FLAG_DELETE);
  for (const { field, row } of fields) appendField(options, { key: joinKeys(key, field), row }, block);
}

/** Ascending. They are few: putting each in its place is quicker than sorting them. */
function sortedFields(options: MapTableOptions, { packed }: CellWrite): readonly EncodedField[] {
  const fields: EncodedField[] = [];
  for (const row of packed?.values() ?? []) {
    const encoded = { field: fieldOf(options, row), row };
    let at = fields.length;
    for (; at > 0 && encoded.field < (fields[at - 1] as EncodedField).field; at--) {
      fields[at] = fields[at - 1] as EncodedField;
    }
    fields[at] = encoded;
  }
  return fields;
}

/** Whether the fields are few enough bytes; if not, nothing is appended. */
function appendPacked(
  { codec, valueFlags = 0 }: MapTableOptions,
  { key, fields }: { readonly key: BinaryKey; readonly fields: readonly EncodedField[] },
  block: BlockBuilder,
): boolean {
  const out = block.append(key, valueFlags | FLAG_CLEAR | FLAG_PACKED);
  const bytesMax = out.length + PACKED_BYTES_MAX;
  if ((valueFlags & FLAG_EXPIRES) !== 0) out.float64(Math.max(...fields.map(({ row }) => expiryOf(row))));
  const writer = new PackedFieldWriter(out);
  for (const { field, row } of fields) {
    writer.begin(field);
    codec.write(row.value, out);
    writer.end();
    if (out.length <= bytesMax) continue;
    block.retract();
    return false;
  }
  return true;
}

function expiryOf(row: FieldRow): number {
  return (row.value as Stamped).expiry;
}
