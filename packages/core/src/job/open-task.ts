/** Opens a job of one task. */

import type { SyncReads } from "../contracts/backend.js";
import type { Operator, StateDescriptors, TimersDeclaration } from "../task/define-operator.js";
import type { KeyGroups } from "../key/key-groups.js";
import { type JobControl, type JobOptions, openJob } from "./open-job.js";
import { type StateHandles, type TaskControl, type TimersOf, withStates } from "./task.js";

/** Options of a job of one task. */
export interface OpenTaskOptions<Sync extends SyncReads, Client = never> extends JobOptions<Sync, Client> {
  /**
   * The key groups that the task owns.
   * @defaultValue all of the operator's
   */
  readonly keyGroups?: KeyGroups;
}

/** A task that is a job of its own. */
export type SoleTask<
  Key,
  States extends StateDescriptors,
  Sync extends SyncReads,
  Timers extends TimersDeclaration | undefined = undefined,
  Client = never,
> = TaskControl<Key> &
  JobControl<Client> & { readonly states: StateHandles<Key, States, Sync> } & TimersOf<Timers, Key> &
  Omit<
    StateHandles<Key, States, Sync>,
    keyof TaskControl<Key> | keyof JobControl | "states" | keyof TimersOf<Timers, Key>
  >;

/**
 * Opens an operator as a job of one task.
 * @throws {StateBackendError} as `openJob`
 */
export async function openTask<
  Key,
  const States extends StateDescriptors,
  Sync extends SyncReads,
  Timers extends TimersDeclaration | undefined = undefined,
  Client = never,
>(
  operator: Operator<Key, States, Timers>,
  options: OpenTaskOptions<Sync, Client>,
): Promise<SoleTask<Key, States, Sync, Timers, Client>> {
  const { keyGroups } = options;
  const declared = keyGroups === undefined ? { operator } : { operator, keyGroups };
  const job = await openJob({ ...options, tasks: [declared] as const });
  const task = job.tasks[0] as TaskControl<Key> & { readonly states: object };
  const sole: object = {};
  take(sole, job, JOB_MEMBERS);
  take(sole, task, TASK_MEMBERS);
  if (operator.timers !== undefined) take(sole, task, ["timers"]);
  return withStates(sole, task.states) as SoleTask<Key, States, Sync, Timers, Client>;
}

const JOB_MEMBERS: readonly (keyof JobControl)[] = [
  "restoredFrom",
  "checkpoints",
  "retained",
  "lastCompleted",
  "garbageError",
  "checkpoint",
  "savepoint",
  "ready",
  "stop",
  "close",
];
const TASK_MEMBERS: readonly (keyof TaskControl<never> | "states")[] = [
  "keyGroups",
  "process",
  "watermark",
  "advanceWatermark",
  "states",
];

/** Properties as they are, those that are computed at each reading too. */
function take(target: object, source: object, names: readonly string[]): void {
  for (const name of names) {
    Object.defineProperty(target, name, Object.getOwnPropertyDescriptor(source, name) ?? { value: undefined });
  }
}
