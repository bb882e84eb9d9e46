/**
 * A run of entries in memory, the unit in which entries flow through encoding, merging and restoring.
 *
 * Invariants:
 * - Keys ascend strictly inside a block, and from one block of a source to the next.
 * - Entry `i` has the value bytes `starts[i]` to `ends[i] - 1` of `bytes`. The block and its bytes are valid until the next
 *   block of the same source is asked for.
 */

import type { BinaryKey } from "../key/binary-key.js";

/** The entry removes what older runs hold under its key. It has no value. */
export const FLAG_DELETE = 1;
/** The entry removes what older runs hold under every key that begins with its key, whether or not it also puts a value. */
export const FLAG_CLEAR = 2;
/** The value begins with the moment at which it expires, a float64. */
export const FLAG_EXPIRES = 4;
/** The value is all fields of a small map. Only with FLAG_CLEAR; with FLAG_EXPIRES the latest expiry of a field comes first. */
export const FLAG_PACKED = 8;

export interface EntryBlock {
  readonly count: number;
  readonly keys: readonly BinaryKey[];
  readonly flags: readonly number[];
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Entries in ascending key order. */
export type EntrySource = AsyncIterable<EntryBlock>;
