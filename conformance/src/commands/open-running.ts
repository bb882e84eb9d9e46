/** Opens a real job in the shape that the model has. */

import {
  type Backend,
  type CheckpointStorage,
  type Clock,
  openJob,
  type Random,
  type Restore,
  splitKeyGroups,
} from "@tidemark/core";
import type { Shape } from "../model/job-model.js";
import type { LooseTask, RunningJob } from "./call-state.js";
import { declareOperator, MAX_PARALLELISM } from "./declare.js";

export interface OpenRequest {
  readonly backend: Backend;
  readonly storage: CheckpointStorage;
  readonly job: string;
  readonly shape: Shape;
  readonly restore: Restore;
  readonly clock: Clock;
  readonly random: Random;
}

/** So long may an upload take, milliseconds. */
export const TIMEOUT_MS = 10_000;

export async function openRunning(request: OpenRequest): Promise<RunningJob> {
  const { backend, storage, job, shape, restore, clock, random } = request;
  const tasks = shape.declared.flatMap((specs, index) => {
    const operator = declareOperator(index, specs);
    return splitKeyGroups(MAX_PARALLELISM, shape.parallelism[index] ?? 1).map((keyGroups) => ({ operator, keyGroups }));
  });
  const control = await openJob({
    job,
    backend,
    checkpoints: storage,
    restore,
    clock,
    random,
    tasks,
    retain: shape.retain,
    compression: shape.compression,
    graceMs: 0,
    timeoutMs: TIMEOUT_MS,
  });
  let first = 0;
  const operators = shape.parallelism.map((count) => {
    const own = control.tasks.slice(first, first + count) as unknown as LooseTask[];
    first += count;
    return own;
  });
  return { control, operators };
}
