/**
 * Byte strings carried as latin1 strings.
 *
 * Invariants:
 * - Every character is one byte (U+0000 to U+00FF), so that string order is unsigned byte order and `===` is byte equality.
 */

/** Bytes as a string of characters U+0000 to U+00FF; usable as a `Map` key. */
export type BinaryKey = string & { readonly __binary: unique symbol };

export const EMPTY_KEY = "" as BinaryKey;

/** The bytes of `key`, newly allocated. */
export function bytesOfKey(key: BinaryKey): Buffer {
  return Buffer.from(key, "latin1");
}

/** `bytes` as a key; the caller may reuse the buffer. */
export function keyOfBytes(bytes: Uint8Array): BinaryKey {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as BinaryKey;
}

/** Both parts, one after the other. */
export function joinKeys(first: BinaryKey, second: BinaryKey): BinaryKey {
  return (first + second) as BinaryKey;
}

/** `value` as two bytes, big-endian. */
export function uint16Key(value: number): BinaryKey {
  return String.fromCharCode(value >>> 8, value & 0xff) as BinaryKey;
}

/** The two bytes at `offset`, big-endian. */
export function readUint16(key: BinaryKey, offset: number): number {
  return (key.charCodeAt(offset) << 8) | key.charCodeAt(offset + 1);
}

/** With how many bytes both begin alike. */
export function sharedLength(a: BinaryKey, b: BinaryKey): number {
  const limit = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < limit && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++;
  return shared;
}
