/** Values as rows have them: the bytes, and a checksum over key and bytes, so that what was changed from outside is noticed. */

import { crc32 } from "node:zlib";
import { type BinaryKey, quoted, StateBackendError } from "@tidemark/core";

const CHECKSUM_BYTES = 4;

/** Bytes that a value takes in a row. */
export function storedLength(value: Uint8Array): number {
  return value.length + CHECKSUM_BYTES;
}

/** Writes the value of `key` as a row has it, at `at`; gives the place behind it. */
export function writeStored(out: Buffer, at: number, key: BinaryKey, value: Uint8Array): number {
  out.set(value, at);
  return out.writeUInt32BE(checksum(key, value), at + value.length);
}

/**
 * The value of `hex`, as the server writes bytes: `\x` and two digits each. The caller owns the result.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if it is not what was stored under `key`
 */
export function valueOfStored(key: BinaryKey, hex: string): Uint8Array {
  const stored = bytesOfHex(hex);
  const length = stored.length - CHECKSUM_BYTES;
  const value = stored.subarray(0, Math.max(0, length));
  if (length >= 0 && stored.readUInt32BE(length) === checksum(key, value)) return value;
  throw new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `A stored value fails its checksum: something else has changed it, or the disk. bytes=${stored.length}. ` +
      "Empty the tables of the working state and open the job again: it is rebuilt from its checkpoint.",
  );
}

/** @throws {StateBackendError} UNAVAILABLE if the server writes bytes in another way */
export function bytesOfHex(hex: string): Buffer {
  if (!hex.startsWith("\\x")) {
    throw new StateBackendError(
      "UNAVAILABLE",
      `The server writes bytes in another format. received=${quoted(hex.slice(0, 8))}. Set bytea_output to hex for this role.`,
    );
  }
  return Buffer.from(hex.slice(2), "hex");
}

export function keyOfHex(hex: string): BinaryKey {
  return Buffer.from(hex.slice(2), "hex").toString("latin1") as BinaryKey;
}

function checksum(key: BinaryKey, value: Uint8Array): number {
  return crc32(value, hashOf(key));
}

/** FNV-1a: a number of the key to begin with, so that values which changed places are noticed. */
function hashOf(key: BinaryKey): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}
