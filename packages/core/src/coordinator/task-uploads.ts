/** Uploads of the parts of a checkpoint: every task uploads its own and acknowledges. */

import type { ChainExtension, Delta, ExtendRequest } from "../checkpoint/task-chain.js";
import type { TimeSeen } from "../table/task-time.js";
import type { Barrier, CoordinatorParts } from "./checkpoint-work.js";
import type { Deadline } from "./deadline.js";
import type { PendingCheckpoint } from "./pending-checkpoint.js";
import { codecVersions, stateTimes, type TaskRuntime } from "./task-runtime.js";

/** What a task acknowledges: the chain to come or, beside other checkpoints, what will join the chain in turn. */
export type TaskUpload =
  | { readonly extension: ChainExtension }
  | { readonly extension?: undefined; readonly delta?: Delta };

/** What the uploads of a checkpoint have in common. */
export interface UploadWork {
  readonly kind: "incremental" | "full";
  readonly barrier: Barrier;
  readonly deadline: Deadline;
}

/**
 * Uploads what every task froze. Synchronous up to where each task has taken what it uploads.
 * @throws the cause, if a task declines or time is up
 */
export function uploadCheckpoint(
  parts: CoordinatorParts,
  pending: PendingCheckpoint<TaskUpload>,
  work: UploadWork,
): Promise<readonly TaskUpload[]> {
  return acknowledged(
    parts,
    { pending, deadline: work.deadline },
    {
      async upload({ task, at, nextLeaf }) {
        const request = extendRequest(parts, task, { ...work, at, nextLeaf });
        if (pending.isFirst) return { extension: await task.chain.extend(request) };
        const frozen = task.chain.withoutDelta(pending.id).find(({ epoch }) => epoch === pending.id);
        return frozen === undefined
          ? {}
          : { delta: { frozen, segment: await task.chain.uploadDelta(frozen, request) } };
      },
      accepted({ chain }, upload) {
        if (upload.extension === undefined && upload.delta !== undefined) chain.keepDelta(upload.delta);
      },
    },
  );
}

/**
 * The chains to come, when it is the turn of the checkpoint. What aborted checkpoints left pending and not uploaded is uploaded now.
 * @throws what an upload throws; and when time is up
 */
export async function joinChains(
  parts: CoordinatorParts,
  uploads: readonly TaskUpload[],
  work: UploadWork,
): Promise<readonly ChainExtension[]> {
  const joined = parts.tasks.map((task, at) => joinChain(parts, task, { ...work, at, upload: uploads[at] ?? {} }));
  return work.deadline.race(allOrFirstError(joined));
}

async function joinChain(
  parts: CoordinatorParts,
  task: TaskRuntime,
  { upload, ...work }: UploadWork & { readonly at: number; readonly upload: TaskUpload },
): Promise<ChainExtension> {
  if (upload.extension !== undefined) return upload.extension;
  const { chain } = task;
  const { id } = work.barrier;
  let uploadedBytes = upload.delta?.segment.bytes ?? 0;
  for (const frozen of chain.withoutDelta(id)) {
    await parts.segmentNames.use(async (nextLeaf) => {
      const segment = await chain.uploadDelta(frozen, extendRequest(parts, task, { ...work, nextLeaf }));
      if (work.deadline.signal.aborted) return;
      chain.keepDelta({ frozen, segment });
      uploadedBytes += segment.bytes;
    });
  }
  work.deadline.signal.throwIfAborted();
  return chain.join(id, uploadedBytes);
}

interface TaskTurn {
  readonly task: TaskRuntime;
  /** Place of the task in its job. */
  readonly at: number;
  readonly nextLeaf: () => string;
}

/** Lets every task upload and acknowledge or decline. Resolves to what they acknowledged, in their order. */
export async function acknowledged<Result>(
  { tasks, lineage, segmentNames }: CoordinatorParts,
  { pending, deadline }: { readonly pending: PendingCheckpoint<Result>; readonly deadline: Deadline },
  {
    upload,
    accepted,
  }: {
    readonly upload: (turn: TaskTurn) => Promise<Result>;
    /** Called, at once, for what counts. */
    readonly accepted?: (task: TaskRuntime, result: Result) => void;
  },
): Promise<readonly Result[]> {
  const { number: attempt } = lineage.attempt;
  for (const [at, task] of tasks.entries()) {
    const address = { attempt, checkpoint: pending.id, task: at };
    // The name is in use until it is known whether the upload counts: else it would be garbage in between.
    const answered = segmentNames.use(async (nextLeaf) => {
      const result = await upload({ task, at, nextLeaf });
      if (pending.acknowledge(address, result) === "success") accepted?.(task, result);
    });
    answered.catch((error: unknown) => pending.decline(address, error));
  }
  try {
    return await deadline.race(pending.results());
  } catch (error) {
    pending.abort(error);
    throw error;
  }
}

/** What an upload of one task needs to know. */
export function extendRequest(
  { settings, clock }: CoordinatorParts,
  task: TaskRuntime,
  { kind, at, barrier, deadline, nextLeaf }: UploadWork & { readonly at: number; readonly nextLeaf: () => string },
): ExtendRequest {
  const time: TimeSeen | undefined = barrier.times[at];
  return {
    kind,
    liveRows: barrier.liveRows[at] ?? 0,
    nextLeaf,
    compression: settings.compression,
    codecVersions: codecVersions(task),
    clock,
    nowOf: time === undefined ? undefined : stateTimes(task, time),
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
