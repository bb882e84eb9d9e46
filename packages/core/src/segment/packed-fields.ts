/**
 * The value of a packed entry: all fields of a small map, one after the other.
 *
 * Invariants:
 * - Fields ascend strictly; there is at least one.
 * - What stands before the fields, the latest expiry of an entry that expires, belongs to the entry.
 * @see docs/formats.md#packed-fields
 */

import { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import { StateBackendError } from "../errors.js";
import { type BinaryKey, EMPTY_KEY, sharedLength } from "../key/binary-key.js";

/** A map with more fields is not packed. */
export const PACKED_FIELDS_MAX = 8;
/**
 * Neither is one whose fields take more bytes: a write of one of them writes all of that again.
 * @see docs/decisions/0010-small-maps-are-packed.md for the measurements
 */
export const PACKED_BYTES_MAX = 256;

/** One value at a time is read. */
const valueReader = new ByteReader(Buffer.alloc(0));
let scratch: Buffer = Buffer.allocUnsafeSlow(256);

/**
 * Calls `visit` for each field, ascending. The reader of a value is valid during the call, which has to read all of it.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the bytes are no fields
 */
export function eachPackedField(packed: ByteReader, visit: (field: BinaryKey, value: ByteReader) => void): void {
  let previous: BinaryKey | undefined;
  do {
    const field = readField(packed, previous?.length ?? 0);
    if (previous !== undefined && field <= previous) throw malformed("its fields are out of order");
    previous = field;
    packed.limit(valueReader, packed.varint());
    visit(field, valueReader);
    if (valueReader.remaining !== 0) throw malformed("a value has bytes behind its end");
  } while (packed.remaining > 0);
}

/** As the keys of a block are, it is put together as bytes; the field before it is still in `scratch`. */
function readField(packed: ByteReader, previousBytes: number): BinaryKey {
  const shared = packed.varint();
  const suffix = packed.varint();
  if (shared > previousBytes) throw malformed("a field shares more than there is");
  if (suffix > packed.remaining) throw malformed("a field is longer than its entry");
  const length = shared + suffix;
  if (length > scratch.length) {
    const larger = Buffer.allocUnsafeSlow(length * 2);
    scratch.copy(larger, 0, 0, shared);
    scratch = larger;
  }
  for (let at = shared; at < length; at++) scratch[at] = packed.uint8();
  return scratch.toString("latin1", 0, length) as BinaryKey;
}

/** Appends fields to an entry; they come in ascending order. */
export class PackedFieldWriter {
  readonly #out: ByteWriter;
  #previous: BinaryKey = EMPTY_KEY;
  #start = 0;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Begins a field. Its value is what is written until `end` is called. */
  begin(field: BinaryKey): void {
    const out = this.#out;
    const shared = sharedLength(this.#previous, field);
    out.varint(shared);
    out.varint(field.length - shared);
    out.latin1(field, shared);
    this.#previous = field;
    this.#start = out.length;
    out.skip(1);
  }

  /** Puts the length of the value before it: mostly it has one byte. */
  end(): void {
    const out = this.#out;
    const start = this.#start + 1;
    const length = out.length - start;
    if (length < 0x80) {
      out.patchUint8(this.#start, length);
      return;
    }
    const value = Buffer.from(out.view(start));
    out.truncate(this.#start);
    out.varint(length);
    out.bytes(value);
  }
}

function malformed(what: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `A packed map is malformed: ${what}. Restore another retained checkpoint.`,
  );
}
