/**
 * Numbers as keys: 8 bytes, IEEE 754 big-endian, made sortable.
 *
 * Invariants:
 * - The sign bit of a number >= 0 is set and all bits of a number < 0 are inverted, so byte order is numeric order.
 * - -0 is 0. There is one NaN (7FF8000000000000 before the flip), and it sorts after +Infinity.
 */

import { corruptBytes } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { DecodedKey, KeyCodec } from "../contracts/codec.js";
import type { BinaryKey } from "./binary-key.js";
import { invalidKey } from "./invalid-key.js";
import { murmur3OfWords } from "./murmur3.js";

const BYTES = 8;
const NAN_HIGH = 0x7ff8_0000;
const SIGN = 0x8000_0000;
const SCRATCH = new DataView(new ArrayBuffer(BYTES));

const NUMBER: KeyCodec<number> = Object.freeze({
  id: "number",
  version: 1,
  encode: encodeNumber,
  write: writeNumber,
  decode: decodeNumber,
  identity: checkedNumber,
  isOwnIdentity: true,
  hash: hashNumber,
  fromIdentity: (identity) => identity as number,
} satisfies KeyCodec<number>);

/** Keys that are numbers, NaN and the infinities included, in numeric order. */
export function number(): KeyCodec<number> {
  return NUMBER;
}

/** `key` as 8 bytes. */
export function encodeNumber(key: number): BinaryKey {
  fillScratch(checkedNumber(key));
  const high = SCRATCH.getUint32(0);
  const low = SCRATCH.getUint32(4);
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  ) as BinaryKey;
}

function writeNumber(key: number, out: ByteWriter): void {
  fillScratch(checkedNumber(key));
  out.uint32(SCRATCH.getUint32(0));
  out.uint32(SCRATCH.getUint32(4));
}

/** The number that begins at `offset`. */
export function decodeNumber(source: BinaryKey, offset: number): DecodedKey<number> {
  const end = offset + BYTES;
  if (end > source.length) throw corruptBytes("a number key is cut short", `offset=${offset} length=${source.length}`);
  for (let index = 0; index < BYTES; index++) SCRATCH.setUint8(index, source.charCodeAt(offset + index));
  const high = SCRATCH.getUint32(0);
  const low = SCRATCH.getUint32(4);
  const isNegative = high < SIGN;
  SCRATCH.setUint32(0, isNegative ? ~high : high ^ SIGN);
  SCRATCH.setUint32(4, isNegative ? ~low : low);
  const key = SCRATCH.getFloat64(0);
  fillScratch(key + 0);
  // Another NaN, or -0, would be a second encoding of the same key.
  if (SCRATCH.getUint32(0) !== high || SCRATCH.getUint32(4) !== low) {
    throw corruptBytes("a number key is not in its one form", `offset=${offset}`);
  }
  return { key, end };
}

function hashNumber(key: number): number {
  fillScratch(checkedNumber(key));
  return murmur3OfWords(SCRATCH.getUint32(0, true), SCRATCH.getUint32(4, true));
}

/** `key` itself, but 0 for -0. */
export function checkedNumber(key: number): number {
  if (typeof key !== "number") throw invalidKey("a number", key);
  return key + 0;
}

/** Leaves the encoding of `key`, which is not -0, in the scratch bytes. */
function fillScratch(key: number): void {
  if (key !== key) {
    SCRATCH.setUint32(0, NAN_HIGH ^ SIGN);
    SCRATCH.setUint32(4, 0);
    return;
  }
  SCRATCH.setFloat64(0, key);
  const high = SCRATCH.getUint32(0);
  if (high < SIGN) {
    SCRATCH.setUint32(0, high ^ SIGN);
    return;
  }
  SCRATCH.setUint32(0, ~high);
  SCRATCH.setUint32(4, ~SCRATCH.getUint32(4));
}
