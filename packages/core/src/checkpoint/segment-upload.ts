/** Merges sources into one segment and stores it, in bounded memory and short slices. */

import { assert } from "../assert.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { KeyGroups } from "../key/key-groups.js";
import type { EntrySource } from "../segment/entry-block.js";
import type { Compression } from "../segment/format.js";
import { mergeRuns } from "../segment/merge.js";
import { SegmentWriter, type WrittenSegment } from "../segment/segment-writer.js";
import type { Slicer } from "../segment/slicer.js";
import type { SegmentRef } from "./manifest.js";

export interface SegmentUpload {
  readonly storage: CheckpointStorage;
  /** Object name, whose last part is the identity. */
  readonly prefix: string;
  readonly leaf: string;
  /** Oldest first. */
  readonly sources: readonly EntrySource[];
  /** Whether nothing older stands below, so that deletions need not be kept. */
  readonly isBase: boolean;
  readonly level: number;
  readonly compression: Compression;
  readonly codecVersions: ReadonlyMap<number, number>;
  /** Of the whole piece of work that this upload is part of. */
  readonly slicer: Slicer;
  readonly signal: AbortSignal;
  /** What time it was at the barrier for a state, by its id: what had expired then is left out. */
  readonly nowOf?: ((stateId: number) => number | undefined) | undefined;
}

/**
 * Durable when it resolves.
 * @throws the signal's reason if it is aborted, otherwise what the sources or the storage throw; the object then does not exist
 * or is garbage that nothing names
 */
export async function uploadSegment(upload: SegmentUpload): Promise<SegmentRef> {
  let written: WrittenSegment | undefined;
  const body = segmentBody(upload, (result) => {
    written = result;
  });
  await upload.storage.put(upload.prefix + upload.leaf, body);
  assert(written !== undefined, "a stored segment was written to its end");
  return {
    name: upload.leaf,
    bytes: written.bytes,
    sha256: written.sha256,
    indexBytes: written.indexBytes,
    indexSha256: written.indexSha256,
    entries: written.entries,
    tombstones: written.tombstones,
    level: upload.level,
    keyGroups: KeyGroups.of(written.groups.map(({ group }) => ({ first: group, last: group }))),
    visibleBytes: written.groups.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function* segmentBody(
  upload: SegmentUpload,
  done: (written: WrittenSegment) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { leaf: identity, compression, codecVersions, slicer, signal } = upload;
  const writer = new SegmentWriter({ identity, compression, codecVersions });
  const merged = mergeRuns(upload.sources, (block, at) => writer.append(block, at), {
    dropTombstones: upload.isBase,
    ...(upload.nowOf === undefined ? {} : { nowOf: upload.nowOf }),
  });
  for await (const _ of merged) {
    signal.throwIfAborted();
    const chunk = writer.drain();
    if (chunk !== undefined) yield chunk;
    if (slicer.isDue()) await slicer.pause();
  }
  signal.throwIfAborted();
  const { last, written } = writer.finish();
  done(written);
  yield last;
}
