/** All tasks of one operator that run in one job. */

import type { KeyCodec } from "../contracts/codec.js";
import { keyGroupOf, type KeyGroups } from "../key/key-groups.js";
import type { AnyOperator, Operator, StateDescriptors } from "../task/define-operator.js";
import type { TaskOptions } from "./open-job.js";
import type { PlannedTask } from "./plan.js";

/** The tasks of an operator that was given with `parallelism`. */
export interface OperatorTasks<Task, Key> {
  readonly tasks: readonly Task[];
  /**
   * The task that owns a key.
   * @throws {StateBackendError} VALUE_INVALID if it is no key of the operator
   */
  taskOf(key: Key): Task;
}

/** The type of the keys of an operator. */
export type KeyOfOperator<Declared> = Declared extends Operator<infer Key, StateDescriptors> ? Key : never;

/** Handles of planned tasks as they were declared: those of one operator with `parallelism` as one. */
export function asDeclared(
  declared: readonly TaskOptions[],
  plan: readonly PlannedTask[],
  handles: readonly object[],
): readonly object[] {
  return declared.map(({ operator, parallelism }, at) => {
    const own = plan.flatMap((task, i) => (task.declared === at ? [{ groups: task.groups, handle: handles[i] }] : []));
    if (parallelism === undefined) return own[0]?.handle as object;
    return operatorTasks(operator, own as readonly OwnedHandle[]);
  });
}

interface OwnedHandle {
  readonly groups: KeyGroups;
  readonly handle: object;
}

function operatorTasks(
  { key, maxParallelism }: AnyOperator,
  own: readonly OwnedHandle[],
): OperatorTasks<object, unknown> {
  const byGroup: object[] = [];
  for (const { groups, handle } of own) for (const group of groups) byGroup[group] = handle;
  const codec = key as unknown as KeyCodec<unknown>;
  return Object.freeze({
    tasks: Object.freeze(own.map(({ handle }) => handle)),
    taskOf: (id: unknown) => byGroup[keyGroupOf(codec.hash(id), maxParallelism)] as object,
  });
}
