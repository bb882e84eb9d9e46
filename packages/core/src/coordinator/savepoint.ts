/** Writes a savepoint after its barrier. */

import { encodeManifest, type SegmentRef } from "../checkpoint/manifest.js";
import { SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS } from "../checkpoint/names.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { StateBackendError } from "../errors.js";
import {
  type CheckpointSizes,
  type CoordinatorParts,
  manifestOf,
  operatorManifests,
  sizesOf,
  type Work,
} from "./checkpoint-work.js";
import { acknowledged, extendRequest } from "./task-uploads.js";

/** Writes the whole state of every task to `target`, and its manifest last. */
export async function writeSavepoint(
  parts: CoordinatorParts,
  target: CheckpointStorage,
  work: Work<SegmentRef> & { readonly parent: number | undefined },
): Promise<CheckpointSizes> {
  const { tasks, clock, lineage } = parts;
  const started = clock.monotonic();
  const place = { storage: target, prefix: SAVEPOINT_SEGMENTS };
  await lineage.assertOwner();
  await refuseUsedPlace(target);
  const segments = await acknowledged(parts, work, {
    upload: ({ task, at, nextLeaf }) =>
      task.chain.copyTo(place, extendRequest(parts, task, { ...work, kind: "full", at, nextLeaf })),
  });
  const written = segments.map((segment) => ({ segments: [segment], uploadedBytes: segment.bytes }));
  const sizes = sizesOf(written);
  const manifest = manifestOf(parts, {
    kind: "savepoint",
    checkpoint: work.barrier.id,
    parent: work.parent ?? null,
    retains: [],
    durationMs: clock.monotonic() - started,
    ...sizes,
    operators: operatorManifests(tasks, written, work.barrier),
  });
  await lineage.assertOwner();
  if ((await target.put(SAVEPOINT_MANIFEST, encodeManifest(manifest), { ifAbsent: true })) === "exists") {
    throw usedPlace();
  }
  return sizes;
}

/** @throws {StateBackendError} STATE_INCOMPATIBLE if there is a savepoint at `target` */
export async function refuseUsedPlace(target: CheckpointStorage): Promise<void> {
  for await (const { name } of target.list("")) if (name === SAVEPOINT_MANIFEST) throw usedPlace();
}

export function usedPlace(): StateBackendError {
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    "There is a savepoint at this place already, and it was not touched. Give each savepoint a place of its own.",
  );
}
