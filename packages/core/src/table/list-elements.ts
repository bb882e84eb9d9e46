/** How the elements of a list are encoded: in chunks, keyed by (epoch, index), so that appending reads nothing. */

import type { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";
import { StateBackendError } from "../errors.js";
import { type BinaryKey, bytesOfKey, keyOfBytes } from "../key/binary-key.js";

/** So many elements make a chunk. */
export const CHUNK_ELEMENTS = 256;

const scratch = new ByteWriter();

export function writeElements(codec: Codec<unknown>, elements: readonly unknown[], out: ByteWriter): void {
  out.varint(elements.length);
  for (const element of elements) {
    scratch.reset();
    codec.write(element, scratch);
    out.varint(scratch.length);
    out.bytes(scratch.view());
  }
}

/** @throws {StateBackendError} CHECKPOINT_CORRUPT if it is not what `writeElements` wrote */
export function readElements(codec: Codec<unknown>, value: ByteReader): readonly unknown[] {
  const elements: unknown[] = [];
  for (let left = value.varint(); left > 0; left--) {
    const element = value.limited(value.varint());
    elements.push(codec.read(element));
    if (element.remaining !== 0) throw malformedList();
  }
  if (value.remaining !== 0) throw malformedList();
  return Object.freeze(elements);
}

/** The part of a chunk's key behind the cell's: 6 bytes epoch, 4 bytes index, big-endian. */
export function chunkKey(epoch: number, index: number): BinaryKey {
  const bytes = Buffer.allocUnsafe(10);
  bytes.writeUIntBE(epoch, 0, 6);
  bytes.writeUInt32BE(index, 6);
  return keyOfBytes(bytes);
}

/** The index in the key of a chunk. */
export function chunkIndex(key: BinaryKey): number {
  return bytesOfKey(key).readUInt32BE(6);
}

/** What is said of list entries that do not hold together. */
export function malformedList(): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    "The elements of a list do not fill their entry, or are out of order. Restore another retained checkpoint.",
  );
}
