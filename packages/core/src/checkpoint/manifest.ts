/**
 * The manifest: what a checkpoint is. A sealed JSON document.
 *
 * Invariants:
 * - The seal covers the document; the document says which job, checkpoint and attempt it is of, so that a manifest
 *   under another's name is found out.
 * - Segments are named relative to the manifest, so that the whole place can be copied anywhere.
 * - Nothing of a manifest is used before all of it was checked.
 * @see docs/formats.md#manifest
 */

import type { KeyGroups } from "../key/key-groups.js";
import { parseManifestBody } from "./manifest-parse.js";
import type { TimeSeen } from "../table/task-time.js";
import { sealJson, unsealJson } from "./sealed-json.js";

const MANIFEST_FORMAT = { magic: "tidemark-manifest", version: 2 };

/** Codec of a state as it stands in a manifest. */
export interface CodecName {
  readonly id: string;
  readonly version: number;
}

/** How long the values of a state live, as it stands in a manifest. */
export interface TtlManifest {
  readonly ms: number;
  readonly time: "processing" | "event";
}

export interface StateManifest {
  /** Stands in every composite key; given once per name and kept for ever. */
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly codec: CodecName;
  readonly namespace?: CodecName;
  readonly field?: CodecName;
  /** There if values carry when they expire. */
  readonly ttl?: TtlManifest;
}

/** A codec in which a segment has the values of a state, other than the one that the state is declared with. */
export interface FormerCodecRef {
  /** Id of the state. */
  readonly state: number;
  readonly codec: CodecName;
}

/** A segment, or the part of it that belongs to a task. */
export interface SegmentRef {
  /** Relative to the segments of the manifest's place. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly indexBytes: number;
  readonly indexSha256: string;
  readonly entries: number;
  readonly tombstones: number;
  /** How often its entries were compacted: 0 for what a checkpoint wrote. */
  readonly level: number;
  /** The key groups that count; entries of others are not part of the checkpoint. */
  readonly keyGroups: KeyGroups;
  /** Length of the blocks of those key groups: what a restore reads. */
  readonly visibleBytes: number;
  /** States whose values are in a former codec here. */
  readonly former?: readonly FormerCodecRef[];
}

export interface TaskManifest {
  readonly keyGroups: KeyGroups;
  /** Oldest first. */
  readonly segments: readonly SegmentRef[];
  /** There if the operator has timers or states whose values expire. */
  readonly time?: TimeSeen;
}

export interface OperatorManifest {
  readonly name: string;
  readonly maxParallelism: number;
  readonly keyHash: string;
  readonly key: CodecName;
  readonly states: readonly StateManifest[];
  readonly tasks: readonly TaskManifest[];
}

export interface Manifest {
  readonly job: string;
  readonly kind: "checkpoint" | "savepoint";
  readonly checkpoint: number;
  readonly attempt: { readonly number: number; readonly nonce: string };
  /** The checkpoint that this one continues from. */
  readonly parent: number | null;
  /** Ids of the checkpoints that were to be kept when this one was published, itself included. */
  readonly retains: readonly number[];
  /** Milliseconds since 1970 by the clock of the job. */
  readonly createdAt: number;
  /** From the barrier to the moment before publishing. */
  readonly durationMs: number;
  /** What a restore reads of segments. */
  readonly fullBytes: number;
  /** What this checkpoint wrote of segments. */
  readonly incrementalBytes: number;
  readonly operators: readonly OperatorManifest[];
}

/** The bytes of a manifest. */
export function encodeManifest(manifest: Manifest): Buffer {
  return sealJson(MANIFEST_FORMAT, manifest, needsVersion2(manifest) ? 2 : 1);
}

/** Whether a reader of version 1 would misunderstand it: values in several codecs, values that expire, time that was seen. */
function needsVersion2({ operators }: Manifest): boolean {
  return operators.some(
    ({ states, tasks }) =>
      states.some(({ ttl }) => ttl !== undefined) ||
      tasks.some(({ time, segments }) => time !== undefined || segments.some(({ former = [] }) => former.length > 0)),
  );
}

/**
 * Checks and parses a manifest.
 * @throws {StateBackendError} FORMAT_UNSUPPORTED if a newer version wrote it
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if it is not whole, or not a manifest
 */
export function decodeManifest(bytes: Uint8Array, name: string): Manifest {
  return unsealJson(bytes, MANIFEST_FORMAT, { name, parse: parseManifestBody });
}
