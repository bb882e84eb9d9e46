/**
 * Entries whose values are in a former codec, given out in the codec of today.
 *
 * Invariants:
 * - Keys, flags and their order stay as they are; deletions pass through. So it can stand wherever a source is merged or loaded.
 */

import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { BinaryKey } from "../key/binary-key.js";
import { readUint16 } from "../key/binary-key.js";
import { type EntryBlock, type EntrySource, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "./entry-block.js";
import { eachPackedField, PackedFieldWriter } from "./packed-fields.js";

/** Turns the value of an entry, up to the reader's end, into the bytes of today. */
export type Conversion = (key: BinaryKey, old: ByteReader, out: ByteWriter) => void;

/** `source` with the values of some states converted. `conversions` is by state id. */
export async function* migratedEntries(
  source: EntrySource,
  conversions: ReadonlyMap<number, Conversion>,
): AsyncGenerator<EntryBlock, void, undefined> {
  const out = new ByteWriter();
  for await (const block of source) {
    const isConcerned = block.keys.some((key) => conversions.has(readUint16(key, 2)));
    yield isConcerned ? convertedBlock(block, conversions, out) : block;
  }
}

function convertedBlock(block: EntryBlock, conversions: ReadonlyMap<number, Conversion>, out: ByteWriter): EntryBlock {
  const starts: number[] = [];
  const ends: number[] = [];
  const old = new ByteReader(block.bytes);
  out.reset();
  for (let i = 0; i < block.count; i++) {
    const key = block.keys[i] as BinaryKey;
    const start = block.starts[i] as number;
    const end = block.ends[i] as number;
    const flags = block.flags[i] as number;
    const conversion = conversions.get(readUint16(key, 2));
    starts.push(out.length);
    if (conversion === undefined || (flags & FLAG_DELETE) !== 0) {
      out.copy(block.bytes, start, end);
    } else {
      old.reset(block.bytes, start, end);
      if ((flags & FLAG_PACKED) === 0) conversion(key, old, out);
      else convertFields({ old, out }, flags, (value, converted) => conversion(key, value, converted));
    }
    ends.push(out.length);
  }
  // A buffer of its own: the writer is used for the next block while whoever asked for it may still look at this one's keys.
  return { ...block, bytes: out.take(), starts, ends };
}

/** The latest expiry stays in front; each field is converted by itself. */
function convertFields(
  { old, out }: { readonly old: ByteReader; readonly out: ByteWriter },
  flags: number,
  convert: (value: ByteReader, out: ByteWriter) => void,
): void {
  if ((flags & FLAG_EXPIRES) !== 0) out.float64(old.float64());
  const fields = new PackedFieldWriter(out);
  eachPackedField(old, (field, value) => {
    fields.begin(field);
    convert(value, out);
    fields.end();
  });
}
