/**
 * What a checkpoint does after its barrier: upload, publish, adopt, collect. And the same for a savepoint.
 */

import type { GarbageCollector } from "../checkpoint/garbage.js";
import type { Lineage } from "../checkpoint/lineage.js";
import { encodeManifest, type Manifest, type OperatorManifest, type SegmentRef } from "../checkpoint/manifest.js";
import { SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS, segmentLeaf } from "../checkpoint/names.js";
import type { ExtendRequest } from "../checkpoint/task-chain.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Clock } from "../contracts/clock.js";
import { StateBackendError } from "../errors.js";
import type { TimeSeen } from "../table/task-time.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import type { ClaimedSavepoint } from "./claimed-savepoint.js";
import type { Deadline } from "./deadline.js";
import type { CheckpointListener } from "./listener.js";
import type { CheckpointSettings } from "./options.js";
import type { Retention } from "./retention.js";
import { codecVersions, stateTimes, type TaskRuntime } from "./task-runtime.js";

/** What the coordinator of a job is made of. */
export interface CoordinatorParts {
  readonly job: string;
  readonly tasks: readonly TaskRuntime[];
  readonly lineage: Lineage;
  readonly segmentNames: SegmentNames;
  readonly retention: Retention;
  readonly garbage: GarbageCollector;
  /** The savepoint that the job continues from, if it was claimed. */
  readonly claimed: ClaimedSavepoint | undefined;
  readonly settings: CheckpointSettings;
  readonly telemetry: Telemetry;
  readonly listener: CheckpointListener;
  readonly clock: Clock;
}

/** What a barrier found. */
export interface Barrier {
  readonly id: number;
  /** Rows of each task that were present. */
  readonly liveRows: readonly number[];
  /** What time it was for each task. */
  readonly times: readonly (TimeSeen | undefined)[];
  readonly syncPauseMs: number;
}

/** Sizes of a checkpoint, bytes. */
export interface CheckpointSizes {
  readonly fullBytes: number;
  readonly incrementalBytes: number;
}

/** Segment names of one attempt, none given twice, and which of them are being uploaded. */
export class SegmentNames {
  readonly #lineage: Lineage;
  readonly #uploading = new Set<string>();
  #count = 0;

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
  }

  get uploading(): ReadonlySet<string> {
    return this.#uploading;
  }

  /** Runs an upload under a new name, which counts as being uploaded until the upload has settled. */
  async use<T>(upload: (nextLeaf: () => string) => Promise<T>): Promise<T> {
    const { number, nonce } = this.#lineage.attempt;
    const leaf = segmentLeaf(number, nonce, ++this.#count);
    this.#uploading.add(leaf);
    try {
      return await upload(() => leaf);
    } finally {
      this.#uploading.delete(leaf);
    }
  }
}

/** Uploads what every task froze; the result is published by `publish`. */
export async function uploadCheckpoint(
  parts: CoordinatorParts,
  work: { readonly kind: "incremental" | "full"; readonly barrier: Barrier; readonly deadline: Deadline },
) {
  const { tasks, segmentNames } = parts;
  const uploads = tasks.map((task, i) =>
    segmentNames.use((nextLeaf) =>
      task.chain.extend(
        extendRequest(parts, task, {
          ...work,
          liveRows: work.barrier.liveRows[i] ?? 0,
          time: work.barrier.times[i],
          nextLeaf,
        }),
      ),
    ),
  );
  return work.deadline.race(allOrFirstError(uploads));
}

/** Writes the whole state of every task to `target`, and its manifest last. */
export async function writeSavepoint(
  parts: CoordinatorParts,
  target: CheckpointStorage,
  work: { readonly barrier: Barrier; readonly deadline: Deadline; readonly parent: number | undefined },
): Promise<CheckpointSizes> {
  const { tasks, segmentNames, clock, lineage } = parts;
  const started = clock.monotonic();
  const place = { storage: target, prefix: SAVEPOINT_SEGMENTS };
  await lineage.assertOwner();
  await refuseUsedPlace(target);
  const uploads = tasks.map((task, i) =>
    segmentNames.use((nextLeaf) =>
      task.chain.copyTo(
        place,
        extendRequest(parts, task, {
          kind: "full",
          deadline: work.deadline,
          liveRows: 0,
          time: work.barrier.times[i],
          nextLeaf,
        }),
      ),
    ),
  );
  const segments = await work.deadline.race(allOrFirstError(uploads));
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

/** The parts of a manifest that differ from one checkpoint to the next. */
export type ManifestContent = Omit<Manifest, "job" | "attempt" | "createdAt">;

export function manifestOf({ job, lineage, clock }: CoordinatorParts, content: ManifestContent): Manifest {
  return { job, attempt: lineage.attempt, createdAt: clock.now(), ...content };
}

/** Tasks of one operator stand together. */
export function operatorManifests(
  tasks: readonly TaskRuntime[],
  written: readonly { readonly segments: readonly SegmentRef[] }[],
  { times }: Barrier,
): OperatorManifest[] {
  const operators = new Map<string, OperatorManifest>();
  for (const [i, task] of tasks.entries()) {
    const time = times[i];
    const part = {
      keyGroups: task.groups,
      segments: written[i]?.segments ?? [],
      ...(time === undefined ? {} : { time }),
    };
    const known = operators.get(task.operator.name);
    operators.set(task.operator.name, { ...task.operator, tasks: [...(known?.tasks ?? []), part] });
  }
  return [...operators.values()];
}

export function sizesOf(
  written: readonly { readonly segments: readonly SegmentRef[]; readonly uploadedBytes: number }[],
): CheckpointSizes {
  return {
    fullBytes: written.reduce((sum, { segments }) => segments.reduce((total, s) => total + s.visibleBytes, sum), 0),
    incrementalBytes: written.reduce((sum, { uploadedBytes }) => sum + uploadedBytes, 0),
  };
}

function extendRequest(
  { settings, clock }: CoordinatorParts,
  task: TaskRuntime,
  work: Pick<ExtendRequest, "kind" | "liveRows" | "nextLeaf"> & {
    readonly deadline: Deadline;
    readonly time: TimeSeen | undefined;
  },
): ExtendRequest {
  const { kind, liveRows, nextLeaf, deadline, time } = work;
  const nowOf = time === undefined ? undefined : stateTimes(task, time);
  const { compression } = settings;
  return {
    kind,
    liveRows,
    nextLeaf,
    compression,
    codecVersions: codecVersions(task),
    clock,
    nowOf,
    signal: deadline.signal,
  };
}

/** All results, or the first error when everything has settled: nothing goes on behind the caller's back. */
async function allOrFirstError<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason as Error;
    return result.value;
  });
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
