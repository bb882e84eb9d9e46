/**
 * Values as they are stored: behind a checksum of key and value.
 *
 * Invariants:
 * - The checksum takes in the whole stored key, so that a value under another key is noticed.
 *
 * @see docs/formats.md#leveldb
 */

import { crc32c } from "./files/crc32c.js";

export const CHECKSUM_BYTES = 4;

/** `value` behind its checksum, in a new buffer. */
export function sealed(key: Uint8Array, value: Uint8Array): Buffer {
  return seal(key, value, Buffer.allocUnsafe(CHECKSUM_BYTES + value.length));
}

/** `value` behind its checksum, in `stored`, which has just that length. */
export function seal(key: Uint8Array, value: Uint8Array, stored: Buffer): Buffer {
  stored.set(value, CHECKSUM_BYTES);
  const checksum = checksumOf(key, value);
  stored[0] = checksum >>> 24;
  stored[1] = checksum >>> 16;
  stored[2] = checksum >>> 8;
  stored[3] = checksum;
  return stored;
}

/** The value in `stored`, which it shares its memory with; `undefined` if it is not what was sealed under `key`. */
export function unsealed(key: Uint8Array, stored: Buffer): Uint8Array | undefined {
  if (stored.length < CHECKSUM_BYTES) return undefined;
  const value = stored.subarray(CHECKSUM_BYTES);
  return stored.readUInt32BE(0) === checksumOf(key, value) ? value : undefined;
}

/** For so few bytes it is faster than a call out of JavaScript. */
function checksumOf(key: Uint8Array, value: Uint8Array): number {
  return crc32c(value, 0, value.length, crc32c(key));
}
