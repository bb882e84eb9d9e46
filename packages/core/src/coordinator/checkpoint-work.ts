/** What checkpoints and savepoints are made of. */

import type { GarbageCollector } from "../checkpoint/garbage.js";
import type { Lineage } from "../checkpoint/lineage.js";
import type { Manifest, OperatorManifest, SegmentRef } from "../checkpoint/manifest.js";
import { segmentLeaf } from "../checkpoint/names.js";
import type { Clock } from "../contracts/clock.js";
import type { TimeSeen } from "../table/task-time.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import type { ClaimedSavepoint } from "./claimed-savepoint.js";
import type { CheckpointListener } from "./listener.js";
import type { CheckpointSettings } from "./options.js";
import type { Deadline } from "./deadline.js";
import type { PendingCheckpoint } from "./pending-checkpoint.js";
import type { CheckpointTransaction } from "./results.js";
import type { Retention } from "./retention.js";
import type { TaskRuntime } from "./task-runtime.js";

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
  /** What every checkpoint writes besides, unless its call says otherwise. */
  readonly transaction?: CheckpointTransaction | undefined;
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

/** A checkpoint or savepoint after its barrier. */
export interface Work<Result> {
  readonly pending: PendingCheckpoint<Result>;
  readonly barrier: Barrier;
  readonly deadline: Deadline;
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

  isUploading(leaf: string): boolean {
    return this.#uploading.has(leaf);
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
