/**
 * Integers of any size as keys.
 *
 * Invariants:
 * - Zero is the byte 80. A positive number whose shortest big-endian magnitude has L bytes is the byte 80+L and the
 *   magnitude if L <= 126, else the byte FF, L as four bytes, and the magnitude.
 * - A negative number is the encoding of its opposite with every bit inverted. So byte order is numeric order, and the
 *   first bytes tell where the number ends.
 */

import { corruptBytes } from "../bytes/byte-reader.js";
import { hexOfMagnitude, invertBits, magnitudeOfBytes } from "../bytes/magnitude.js";
import type { DecodedKey, KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, keyOfBytes } from "./binary-key.js";
import { invalidKey } from "./invalid-key.js";
import { murmur3OfKey } from "./murmur3.js";

const ZERO = 0x80;
const LONG = 0xff;
const SHORT_LENGTH_MAX = 126;

const BIGINT: KeyCodec<bigint> = Object.freeze({
  id: "bigint",
  version: 1,
  encode: encodeBigint,
  decode: decodeBigint,
  identity: checkedBigint,
  isOwnIdentity: true,
  hash: (key) => murmur3OfKey(encodeBigint(key)),
  fromIdentity: (identity) => identity as bigint,
} satisfies KeyCodec<bigint>);

/** Keys that are bigints of any size, in numeric order. */
export function bigint(): KeyCodec<bigint> {
  return BIGINT;
}

/** `key` with its sign and length in front. */
export function encodeBigint(key: bigint): BinaryKey {
  checkedBigint(key);
  if (key === 0n) return String.fromCharCode(ZERO) as BinaryKey;
  const magnitude = hexOfMagnitude(key < 0n ? -key : key);
  const length = magnitude.length / 2;
  const head =
    length <= SHORT_LENGTH_MAX ? hexByte(ZERO + length) : hexByte(LONG) + length.toString(16).padStart(8, "0");
  const bytes = Buffer.from(head + magnitude, "hex");
  if (key < 0n) invertBits(bytes);
  return keyOfBytes(bytes);
}

/** The integer that begins at `offset`. */
export function decodeBigint(source: BinaryKey, offset: number): DecodedKey<bigint> {
  if (offset >= source.length) throw corruptBytes("a bigint key is missing", `offset=${offset}`);
  const first = source.charCodeAt(offset);
  if (first === ZERO) return { key: 0n, end: offset + 1 };
  const isNegative = first < ZERO;
  const flip = isNegative ? 0xff : 0;
  const isLong = (first ^ flip) === LONG;
  const start = offset + (isLong ? 5 : 1);
  const length = isLong ? readLength(source, offset + 1, flip) : (first ^ flip) - ZERO;
  const end = start + length;
  if (length < 1 || !(end <= source.length)) {
    throw corruptBytes("a bigint key is cut short", `offset=${offset} needed=${length} length=${source.length}`);
  }
  const bytes = Buffer.from(source.slice(start, end), "latin1");
  if (isNegative) invertBits(bytes);
  if (bytes[0] === 0 || (isLong && length <= SHORT_LENGTH_MAX)) {
    throw corruptBytes("a bigint key is not in its shortest form", `offset=${offset}`);
  }
  const magnitude = magnitudeOfBytes(bytes);
  return { key: isNegative ? -magnitude : magnitude, end };
}

/** `key` itself, if it is a bigint. */
export function checkedBigint(key: bigint): bigint {
  if (typeof key !== "bigint") throw invalidKey("a bigint", key);
  return key;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** Four bytes as a length; NaN past the end, which no bounds check lets through. */
function readLength(source: BinaryKey, offset: number, flip: number): number {
  if (offset + 4 > source.length) return Number.NaN;
  let length = 0;
  for (let index = 0; index < 4; index++) length = length * 256 + (source.charCodeAt(offset + index) ^ flip);
  return length;
}
