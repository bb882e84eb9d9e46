/**
 * The value of a packed entry: all fields of a small map, one after the other.
 *
 * Invariants:
 * - Fields ascend strictly; there is at least one.
 * - What stands before the fields, the latest expiry of an entry that expires, belongs to the entry.
 * @see docs/formats.md#packed-fields
 */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import { StateBackendError } from "../errors.js";
import type { BinaryKey } from "../key/binary-key.js";

/** A map with more fields is not packed. */
export const PACKED_FIELDS_MAX = 8;
/** Neither is one whose fields take more bytes: a write of one of them would write all of that again. */
export const PACKED_BYTES_MAX = 1024;

/**
 * Calls `visit` for each field, ascending. The reader of a value is valid during the call, which has to read all of it.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the bytes are no fields
 */
export function eachPackedField(packed: ByteReader, visit: (field: BinaryKey, value: ByteReader) => void): void {
  let previous: BinaryKey | undefined;
  do {
    const field = packed.latin1(packed.varint()) as BinaryKey;
    if (previous !== undefined && field <= previous) throw malformed("its fields are out of order");
    previous = field;
    const value = packed.limited(packed.varint());
    visit(field, value);
    if (value.remaining !== 0) throw malformed("a value has bytes behind its end");
  } while (packed.remaining > 0);
}

/** Appends a field and its encoded value. */
export function writePackedField(field: BinaryKey, value: Uint8Array, out: ByteWriter): void {
  out.varint(field.length);
  out.latin1(field);
  out.varint(value.length);
  out.bytes(value);
}

function malformed(what: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `A packed map is malformed: ${what}. Restore another retained checkpoint.`,
  );
}
