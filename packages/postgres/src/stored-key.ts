/**
 * Keys as rows have them. An index of the server takes no more than 2.7 kB, so of a long key it gets the head and a hash:
 *
 *   key of up to 1,024 bytes    key = the key itself                          tail = NULL
 *   longer                      key = first 1,024 bytes, SHA-256 of the rest  tail = the rest
 *
 * Invariants:
 * - Both forms differ in length, so that no two keys have the same form.
 * - Short keys stand in the order of the keys among all others. Long ones with the same head do not, among each other.
 */

import { createHash } from "node:crypto";
import type { BinaryKey } from "@tidemark/core";

export const HEAD_BYTES = 1024;
const HASH_BYTES = 32;
/** Longer than any key of a row, and after all of them. */
const BEYOND = "\xff".repeat(HEAD_BYTES + HASH_BYTES + 1) as BinaryKey;

/** A key as a row has it. */
export interface StoredKey {
  readonly key: BinaryKey;
  readonly tail: BinaryKey | undefined;
}

export function isLong(key: BinaryKey): boolean {
  return key.length > HEAD_BYTES;
}

export function storedKey(key: BinaryKey): StoredKey {
  if (!isLong(key)) return { key, tail: undefined };
  const tail = key.slice(HEAD_BYTES) as BinaryKey;
  const hash = createHash("sha256").update(tail, "latin1").digest().toString("latin1");
  return { key: (headOf(key) + hash) as BinaryKey, tail };
}

/** The inverse of `storedKey`. */
export function keyOfStored(key: BinaryKey, tail: BinaryKey | undefined): BinaryKey {
  return tail === undefined ? key : ((headOf(key) + tail) as BinaryKey);
}

export function headOf(key: BinaryKey): BinaryKey {
  return key.slice(0, HEAD_BYTES) as BinaryKey;
}

/** Rows from `start` on and before `end` are all that a range of keys can have; of long bounds some rows besides. */
export function storedRange(start: BinaryKey, end: BinaryKey): { readonly start: BinaryKey; readonly end: BinaryKey } {
  return { start: headOf(start), end: isLong(end) ? after(headOf(end)) : end };
}

/** The first key of a row that does not begin with `prefix`, and comes after those that do. */
export function after(prefix: BinaryKey): BinaryKey {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 0xff) length--;
  if (length === 0) return BEYOND;
  return (prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1)) as BinaryKey;
}
