/** Opens a real job in the shape that the model has. */

import {
  type AnyOperator,
  type Backend,
  type CheckpointStorage,
  type Clock,
  openJob,
  type Random,
  type Restore,
  type TaskControl,
} from "@tidemark/core";
import type { StateSpec } from "../model/catalog.js";
import { ownersIn, type Shape } from "../model/job-model.js";
import type { LooseTask, RunningJob } from "./call-state.js";
import { type CodecOf, codecOf } from "./formats.js";
import { declareOperator, operatorOf } from "./declare.js";
import { keyGroupsOf } from "./key-group-shares.js";

export interface OpenRequest {
  readonly backend: Backend;
  readonly storage: CheckpointStorage;
  readonly job: string;
  readonly shape: Shape;
  readonly restore: Restore;
  readonly clock: Clock;
  readonly random: Random;
  /** Codecs of the formats. @defaultValue sound ones */
  readonly codecOf?: CodecOf | undefined;
  /** What is declared for a state. @defaultValue itself */
  readonly declaredAs?: ((spec: StateSpec) => StateSpec) | undefined;
}

/** So long may an upload take, milliseconds. */
export const TIMEOUT_MS = 10_000;

export async function openRunning(request: OpenRequest): Promise<RunningJob> {
  const { backend, storage, job, shape, restore, clock, random } = request;
  const heard: string[] = [];
  const tasks = shape.declared.flatMap((specs, index) => {
    const operator = operatorFor(request, index, specs);
    return keyGroupsOf(ownersIn(shape, index)).map((keyGroups) => ({ operator, keyGroups }));
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
    listener: {
      completed: (id) => void heard.push(`completed ${id}`),
      aborted: (id) => void heard.push(`aborted ${id}`),
      subsumed: (ids) => void heard.push(`subsumed ${ids.join()}`),
    },
  });
  let first = 0;
  const operators = shape.parallelism.map((count) => {
    const own = control.tasks.slice(first, first + count) as unknown as TimedTask[];
    first += count;
    return own.map(looseTask);
  });
  return { control, operators, heard };
}

function operatorFor(
  { shape, codecOf: codec, declaredAs }: OpenRequest,
  index: number,
  specs: readonly StateSpec[],
): AnyOperator {
  const format = shape.format ?? 0;
  if (format === 0 && codec === undefined && declaredAs === undefined) return operatorOf(index, specs);
  return declareOperator(index, declaredAs === undefined ? specs : specs.map(declaredAs), {
    format,
    codecOf: codec ?? codecOf,
  });
}

type TimedTask = TaskControl<unknown> & Pick<LooseTask, "states" | "timers">;

function looseTask(task: TimedTask): LooseTask {
  return {
    keyGroups: task.keyGroups,
    states: task.states,
    timers: task.timers,
    watermark: () => task.watermark,
    advanceWatermark: (time) => task.advanceWatermark(time),
  };
}
