/**
 * Arrays of byte strings as `pg` sends parameters that are buffers: in the binary format of the server.
 *
 * Twice as short as text, and there is nothing to quote. See the server's `array_recv`.
 */

import type { BinaryKey } from "@tidemark/core";

const BYTEA = 17;
const HEADER_BYTES = 20;

/** `keys` as a value of type `bytea[]`. */
export function byteaArrayOfKeys(keys: readonly BinaryKey[]): Buffer {
  let length = HEADER_BYTES + 4 * keys.length;
  for (const key of keys) length += key.length;
  const out = arrayBuffer(length, keys.length);
  let at = keys.length === 0 ? EMPTY_BYTES : HEADER_BYTES;
  for (const key of keys) {
    at = out.writeInt32BE(key.length, at);
    at += out.write(key, at, "latin1");
  }
  return out;
}

/** As `byteaArrayOfKeys`, of `count` elements that stand one after the other in `elements`, each behind its length. */
export function byteaArrayOf(count: number, elements: Uint8Array): Buffer {
  const out = arrayBuffer(HEADER_BYTES + elements.length, count);
  if (count > 0) out.set(elements, HEADER_BYTES);
  return out;
}

const EMPTY_BYTES = 12;

/** An array without elements has no dimensions either. */
function arrayBuffer(length: number, count: number): Buffer {
  const out = Buffer.allocUnsafe(count === 0 ? EMPTY_BYTES : length);
  out.writeInt32BE(count === 0 ? 0 : 1, 0);
  out.writeInt32BE(0, 4);
  out.writeInt32BE(BYTEA, 8);
  if (count > 0) {
    out.writeInt32BE(count, 12);
    out.writeInt32BE(1, 16);
  }
  return out;
}
