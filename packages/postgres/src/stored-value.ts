/** Values as rows have them: the bytes, and a checksum over key and bytes, so that what was changed from outside is noticed. */

import { crc32 } from "node:zlib";
import { type BinaryKey, quoted, StateBackendError } from "@tidemark/core";

const CHECKSUM_BYTES = 4;

export function storedValue(key: BinaryKey, value: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  out.set(value);
  out.writeUInt32BE(checksum(key, value), value.length);
  return out;
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
  return crc32(value, crc32(Buffer.from(key, "latin1")));
}
