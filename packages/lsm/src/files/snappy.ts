/**
 * Decompresses Snappy, in which LevelDB may keep the index of a table.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */

import { ByteCursor, Damage } from "./byte-cursor.js";

/** Of a block of LevelDB; an index of more than this is none. */
const LENGTH_MAX = 256 * 1024 * 1024;

/** @throws {Damage} if `compressed` is not whole */
export function snappyDecompressed(compressed: Buffer): Buffer {
  const input = new ByteCursor(compressed);
  const length = input.varint();
  if (length > LENGTH_MAX) throw new Damage("a compressed block is too long");
  const output = Buffer.allocUnsafe(length);
  let at = 0;
  while (!input.isAtEnd) {
    const tag = input.byte();
    if ((tag & 3) === 0) {
      const literal = input.take(literalLength(tag >>> 2, input));
      if (at + literal.length > length) throw new Damage("a compressed block is too long");
      output.set(literal, at);
      at += literal.length;
    } else {
      const { offset, count } = copyOf(tag, input);
      if (offset === 0 || offset > at || at + count > length) {
        throw new Damage("a compressed block points out of itself");
      }
      // Byte by byte: what is copied may overlap what it makes.
      for (let end = at + count; at < end; at++) output[at] = output[at - offset] as number;
    }
  }
  if (at !== length) throw new Damage("a compressed block is too short");
  return output;
}

function literalLength(size: number, input: ByteCursor): number {
  return size < 60 ? size + 1 : input.take(size - 59).readUIntLE(0, size - 59) + 1;
}

function copyOf(tag: number, input: ByteCursor): { readonly offset: number; readonly count: number } {
  const kind = tag & 3;
  if (kind === 1) return { count: 4 + ((tag >>> 2) & 7), offset: ((tag >>> 5) << 8) | input.byte() };
  const width = kind === 2 ? 2 : 4;
  return { count: 1 + (tag >>> 2), offset: input.take(width).readUIntLE(0, width) };
}
