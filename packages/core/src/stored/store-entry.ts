/**
 * Entries as a store holds them: one byte of flags, then the value as a segment has it.
 * @see docs/formats.md#store
 */

import { ByteReader } from "../bytes/byte-reader.js";
import { StateBackendError } from "../errors.js";
import type { BinaryKey } from "../key/binary-key.js";
import { joinKeys, uint16Key } from "../key/binary-key.js";
import type { KeyRange } from "../contracts/store.js";
import { FLAG_EXPIRES } from "../segment/entry-block.js";

const NO_BYTES = Buffer.alloc(0);
const reader = new ByteReader(NO_BYTES);

/** What a store keeps of an entry: the caller's bytes are copied. */
export function storedValue(flags: number, bytes: Buffer, [start, end]: readonly [number, number]): Buffer {
  const stored = Buffer.allocUnsafe(1 + end - start);
  stored[0] = flags;
  bytes.copy(stored, 1, start, end);
  return stored;
}

/** Where the value of a stored entry begins. */
export const STORED_VALUE_START = 1;

/**
 * A reader of the value of a stored entry, valid until the next call.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the store has never written such an entry
 */
export function valueReader(stored: Uint8Array): ByteReader {
  const flags = stored[0];
  if (flags === undefined || (flags & ~FLAG_EXPIRES) !== 0) {
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `An entry of the store is not one. flags=${String(flags)}. Remove the store; it is rebuilt from the latest checkpoint.`,
    );
  }
  reader.reset(stored, STORED_VALUE_START, stored.length);
  return reader;
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: BinaryKey): KeyRange {
  return { start: prefix, end: afterPrefix(prefix) };
}

/** Key group and state id, as composite keys begin. */
export function statePrefix(group: number, stateId: number): BinaryKey {
  return joinKeys(uint16Key(group), uint16Key(stateId));
}

/** The smallest key above all that begin with `prefix`. */
function afterPrefix(prefix: BinaryKey): BinaryKey {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end--;
  const last = prefix.charCodeAt(end - 1) + 1;
  return (prefix.slice(0, end - 1) + String.fromCharCode(last)) as BinaryKey;
}
