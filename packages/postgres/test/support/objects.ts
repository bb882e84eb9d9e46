/** Objects of a storage, whole. */

import type { CheckpointStorage } from "@tidemark/core";

export async function readAll(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The names below `prefix`, sorted. */
export async function listAll(storage: CheckpointStorage, prefix = ""): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) names.push(name);
  return names.sort();
}
