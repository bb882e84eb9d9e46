/**
 * The checksum of an entry: five characters at its end, such that all of it, key and value, has the CRC-32 of nothing. So have any number of
 * entries, one behind the other, and they are checked at once.
 *
 * Invariants:
 * - It takes in the whole stored key, so that a value under another key is noticed.
 * - Its characters are ASCII.
 *
 * @see docs/formats.md#leveldb
 */

import { crc32 } from "node:zlib";
import { Crc } from "./files/crc.js";

export const SEAL_LENGTH = 5;

/** The register before the first byte, and behind whole entries. */
export const NOTHING = 0xffff_ffff;

const CRC = new Crc(0xedb8_8320);
const TABLE = CRC.table;
const HIGH_BITS = 0x8080_8080;
/** Of more bytes a call out of JavaScript is faster. */
const SHORT_BYTES = 256;
const BEFORE_ZEROS = beforeZeros(NOTHING);
const FIRST_CHARACTERS = firstCharacters();

/** The register after `text` from `start` on; each character stands for a byte. */
export function registerOfText(register: number, text: string, start = 0): number {
  let after = register;
  for (let at = start; at < text.length; at++) {
    after = (TABLE[(after ^ text.charCodeAt(at)) & 0xff] as number) ^ (after >>> 8);
  }
  return after >>> 0;
}

export function registerOfBytes(register: number, bytes: Uint8Array, end = bytes.length): number {
  if (end > SHORT_BYTES) return ~crc32(bytes.subarray(0, end), ~register >>> 0) >>> 0;
  return CRC.after(register, bytes, 0, end);
}

/** Writes the seal of an entry that comes to `register` into `bytes` at `at`. */
export function writeSeal(register: number, bytes: Uint8Array, at: number): void {
  const after = (TABLE[register & 0xff] as number) ^ (register >>> 8);
  // The first character brings about that the other four have no high bit.
  const first = FIRST_CHARACTERS[highBitsOf(after ^ BEFORE_ZEROS)] as number;
  const rest = after ^ (TABLE[first] as number) ^ BEFORE_ZEROS;
  bytes[at] = first;
  bytes[at + 1] = rest;
  bytes[at + 2] = rest >>> 8;
  bytes[at + 3] = rest >>> 16;
  bytes[at + 4] = rest >>> 24;
}

/** For each pattern of high bits the least ASCII character that changes a register by it. */
function firstCharacters(): readonly number[] {
  const characters: number[] = [];
  for (let character = 0x7f; character >= 0; character--) {
    characters[highBitsOf(TABLE[character] as number)] = character;
  }
  return characters;
}

/** The high bits of the four bytes of `word`, as a number below 16. */
function highBitsOf(word: number): number {
  const bits = word & HIGH_BITS;
  return ((bits >>> 7) | (bits >>> 14) | (bits >>> 21) | (bits >>> 28)) & 0xf;
}

/** The register that is `register` after four zeros. */
function beforeZeros(register: number): number {
  let before = register;
  for (let byte = 0; byte < 4; byte++) {
    const index = TABLE.subarray(0, 256).findIndex((entry) => entry >>> 24 === before >>> 24);
    before = (((before ^ (TABLE[index] as number)) << 8) | index) >>> 0;
  }
  return before;
}
