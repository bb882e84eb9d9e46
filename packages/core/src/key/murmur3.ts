/**
 * MurmurHash3 x86 32-bit with seed 0, the hash of every key.
 *
 * Invariants:
 * - The result is unsigned and depends on the bytes alone, never on how they are carried.
 *
 * @see docs/formats.md#key-groups
 * @see Austin Appleby, MurmurHash3.cpp (public domain)
 */

import type { BinaryKey } from "./binary-key.js";

/** Hash of the bytes from `start` to `end`, 0 to 2^32-1. */
export function murmur3(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const length = end - start;
  const blocksEnd = start + (length & ~3);
  let hash = 0;
  for (let at = start; at < blocksEnd; at += 4) {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
    hash = mixBlock(hash, low | (high << 16));
  }
  let tail = 0;
  for (let at = end - 1; at >= blocksEnd; at--) tail = (tail << 8) | (bytes[at] as number);
  return finish(hash ^ scramble(tail), length);
}

/** Hash of the bytes of `key`, 0 to 2^32-1. */
export function murmur3OfKey(key: BinaryKey): number {
  const length = key.length;
  const blocksEnd = length & ~3;
  let hash = 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    const low = key.charCodeAt(at) | (key.charCodeAt(at + 1) << 8);
    const high = key.charCodeAt(at + 2) | (key.charCodeAt(at + 3) << 8);
    hash = mixBlock(hash, low | (high << 16));
  }
  let tail = 0;
  for (let at = length - 1; at >= blocksEnd; at--) tail = (tail << 8) | key.charCodeAt(at);
  return finish(hash ^ scramble(tail), length);
}

/** Hash of 8 bytes given as two words, each with its first byte lowest. */
export function murmur3OfWords(first: number, second: number): number {
  return finish(mixBlock(mixBlock(0, first), second), 8);
}

/** What `murmur3OfTerminated` returns for text that it cannot hash. */
export const NOT_PLAIN_ASCII = -1;

/**
 * Hash of `text` followed by the bytes 00 01, without building them.
 * `NOT_PLAIN_ASCII` if a character is not U+0001 to U+007F.
 */
export function murmur3OfTerminated(text: string): number {
  const length = text.length;
  const blocksEnd = length & ~3;
  let hash = 0;
  // Bits above the lowest seven are set here by a character over U+007F, and by U+0000 minus one.
  let odd = 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    odd |= a | b | c | d | (a - 1) | (b - 1) | (c - 1) | (d - 1);
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let at = length - 1; at >= blocksEnd; at--) {
    const code = text.charCodeAt(at);
    odd |= code | (code - 1);
    tail = (tail << 8) | code;
  }
  if ((odd & ~0x7f) !== 0) return NOT_PLAIN_ASCII;
  return finish(mixTerminator(hash, tail, length & 3), length + 2);
}

/** Mixes in the `count` bytes of `tail` and the terminator 00 01 behind them. */
function mixTerminator(hash: number, tail: number, count: number): number {
  if (count < 2) return hash ^ scramble(tail | (1 << (8 * count + 8)));
  if (count === 2) return mixBlock(hash, tail | (1 << 24));
  return mixBlock(hash, tail) ^ scramble(1);
}

function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe654_6b64) | 0;
}

/** An empty tail scrambles to 0 and so leaves the hash as it is. */
function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e_2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593);
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
