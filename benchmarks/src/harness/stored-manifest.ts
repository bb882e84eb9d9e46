/** Reads the latest manifest out of a checkpoint storage, as a stranger would: by docs/formats.md. */

import type { CheckpointStorage } from "@tidemark/core";

/** What the suites need of a segment's entry in a manifest. */
export interface StoredSegment {
  readonly name: string;
  readonly bytes: number;
  readonly indexBytes: number;
  readonly entries: number;
}

interface StoredManifest {
  readonly operators: readonly { readonly tasks: readonly { readonly segments: readonly StoredSegment[] }[] }[];
}

/** The segments of the only task of the only job in `storage`, oldest first. */
export async function latestSegments(storage: CheckpointStorage): Promise<readonly StoredSegment[]> {
  const names: string[] = [];
  for await (const { name } of storage.list("")) if (name.includes("/checkpoint/")) names.push(name);
  const latest = names.sort().at(-1);
  if (latest === undefined) throw new Error("There is no checkpoint.");
  const sealed = (await objectOf(storage, latest)).toString("utf8");
  const manifest = JSON.parse(sealed.slice(sealed.indexOf("\n") + 1)) as StoredManifest;
  return manifest.operators[0]?.tasks[0]?.segments ?? [];
}

/** The bytes of a segment. */
export async function segmentBytes(storage: CheckpointStorage, segment: StoredSegment): Promise<Buffer> {
  for await (const { name } of storage.list("")) if (name.endsWith(`/${segment.name}`)) return objectOf(storage, name);
  throw new Error(`There is no such segment. name=${segment.name}`);
}

async function objectOf(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
