/** What was written to a map table in one epoch, as entries. */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "../segment/entry-block.js";
import { PACKED_BYTES_MAX, writePackedField } from "../segment/packed-fields.js";
import type { BlockBuilder } from "./block-builder.js";
import { DELETED, DROPPED } from "./epoch.js";
import type { FrozenRows } from "./frozen-rows.js";
import { CellWrite, type FieldRow } from "./map-cell.js";
import { sortedByKey } from "./sorted.js";
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

const packed = new ByteWriter();
const scratch = new ByteWriter();

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
  const rows = [...(write.packed?.values() ?? [])].map((row) => ({ field: fieldOf(options, row), row }));
  const fields = sortedByKey(rows, ({ field }) => field);
  if (fields.length > 0 && pack(options, fields)) {
    block.append(key, (options.valueFlags ?? 0) | FLAG_CLEAR | FLAG_PACKED).bytes(packed.view());
    return;
  }
  write.isTooLarge = fields.length > 0;
  block.append(key, FLAG_CLEAR | FLAG_DELETE);
  for (const { field, row } of fields) appendField(options, { key: joinKeys(key, field), row }, block);
}

/** Whether `packed` now has all fields, and they are not too many bytes. */
function pack({ codec, valueFlags = 0 }: MapTableOptions, fields: readonly EncodedField[]): boolean {
  packed.reset();
  if ((valueFlags & FLAG_EXPIRES) !== 0) packed.float64(Math.max(...fields.map(({ row }) => expiryOf(row))));
  for (const { field, row } of fields) {
    scratch.reset();
    codec.write(row.value, scratch);
    writePackedField(field, scratch.view(), packed);
    if (packed.length > PACKED_BYTES_MAX) return false;
  }
  return true;
}

function expiryOf(row: FieldRow): number {
  return (row.value as Stamped).expiry;
}
