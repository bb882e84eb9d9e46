/** Reads a stored object, or a range of it, into one buffer. */

import type { ByteRange, CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { hasCode, quoted, StateBackendError } from "../errors.js";

/**
 * The bytes of `range`, exactly.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the object is missing or does not have them
 */
export async function readObject(storage: CheckpointStorage, name: string, range: ByteRange): Promise<Buffer> {
  const length = range.end - range.start;
  const chunks: Uint8Array[] = [];
  let read = 0;
  try {
    for await (const chunk of storage.get(name, range)) {
      chunks.push(chunk);
      read += chunk.length;
    }
  } catch (cause) {
    if (!hasCode(cause, "CHECKPOINT_NOT_FOUND")) throw cause;
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `An object that a checkpoint needs is missing. name=${quoted(name)}. Restore another retained checkpoint, or bring the object back from a copy.`,
      { cause },
    );
  }
  if (read !== length) {
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `An object has another length than its checkpoint says. name=${quoted(name)} expected=${length} read=${read}. Restore another retained checkpoint.`,
    );
  }
  const only = chunks[0];
  if (chunks.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return Buffer.concat(chunks, length);
}
