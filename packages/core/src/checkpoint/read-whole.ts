/** Reads a small object whole. */

import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";

/** @throws {StateBackendError} CHECKPOINT_NOT_FOUND if there is no such object */
export async function readWhole(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
