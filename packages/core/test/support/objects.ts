/** The objects of a storage, whole. */

import type { CheckpointStorage } from "../../src/index.js";

/** All objects below `prefix` by name, ascending. */
export async function objectsOf(storage: CheckpointStorage, prefix = ""): Promise<Map<string, Buffer>> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) names.push(name);
  const objects = new Map<string, Buffer>();
  for (const name of names.sort()) objects.set(name, await readAll(storage, name));
  return objects;
}

/** All chunks of an object, joined. */
export async function readAll(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
