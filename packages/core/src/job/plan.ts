/** What is to run, checked; and whether the checkpoint to restore fits it. Nothing here changes anything. */

import type { OperatorManifest } from "../checkpoint/manifest.js";
import type { OperatorIdentity } from "../coordinator/task-runtime.js";
import { quoted, StateBackendError } from "../errors.js";
import { KEY_HASH, KeyGroups, splitKeyGroups } from "../key/key-groups.js";
import { stickyKeyGroups } from "../key/sticky-key-groups.js";
import { checkCovered, hasLayout } from "../restore/assign.js";
import { type DeclaredOperator, type DeclaredState, matchStates, type TakesOver } from "../restore/compatibility.js";
import type { FoundCheckpoint } from "../restore/restore-source.js";
import { isOtherKey, keyCodecOf, scopeCodecs, takesOverKeys } from "../restore/key-path.js";
import { checkFormerCodecs, codecOf, takesOver } from "../restore/value-migration.js";
import type { StateDescriptor } from "../state/descriptors.js";
import { declaredTimers, isTimerKind } from "../table/timer-kinds.js";
import type { AnyOperator } from "../task/define-operator.js";
import type { TaskOptions } from "./open-job.js";

const OPERATOR_KINDS: ReadonlySet<string> = new Set<StateDescriptor["kind"]>(["split-list", "union-list", "broadcast"]);

/** Whether a state of this kind goes by task and not by key group. */
export function isOperatorKind(kind: string): boolean {
  return OPERATOR_KINDS.has(kind);
}

/** A task whose options were checked. */
export interface PlannedTask {
  /** Which of the given options it is one task of. */
  readonly declared: number;
  readonly operator: AnyOperator;
  readonly groups: KeyGroups;
  /** Which of how many tasks of its operator it is, if that was asked for by number: its groups then go by the checkpoint. */
  readonly share?: { readonly index: number; readonly parallelism: number };
}

/** A task that the checkpoint fits. */
export interface JudgedTask extends PlannedTask {
  readonly identity: OperatorIdentity;
  /** The operator in the checkpoint, if it is there. */
  readonly source: OperatorManifest | undefined;
  /** Whether the tasks of the operator own what those of the checkpoint owned. */
  readonly isSameLayout: boolean;
  /** Which of the tasks of its operator it is, of how many. */
  readonly index: number;
  readonly taskCount: number;
}

/**
 * @throws {TypeError} if a part is missing, or does not go with another
 * @throws {RangeError} if key groups are not the operator's, or are owned twice, or there are too few for the tasks
 */
export function planTasks(job: string, tasks: readonly TaskOptions[]): PlannedTask[] {
  if (typeof job !== "string") throw new TypeError(`A job needs a name. received=${typeof job}.`);
  if (!Array.isArray(tasks) || tasks.length === 0) throw new TypeError("A job needs at least one task.");
  const planned = tasks.flatMap(planTask);
  for (const [i, task] of planned.entries()) {
    for (const other of planned.slice(0, i)) checkApart(task, other);
  }
  return planned;
}

function planTask({ operator, keyGroups, parallelism }: TaskOptions, declared: number): PlannedTask[] {
  if (typeof operator?.name !== "string" || typeof operator.maxParallelism !== "number") {
    throw new TypeError("A task needs an operator. Pass what defineOperator gives.");
  }
  if (parallelism !== undefined) {
    if (keyGroups !== undefined) throw new TypeError("Give a task keyGroups or parallelism, not both.");
    const dealt = splitKeyGroups(operator.maxParallelism, parallelism);
    return dealt.map((groups, index) => ({ declared, operator, groups, share: { index, parallelism } }));
  }
  const all = KeyGroups.all(operator.maxParallelism);
  const groups = keyGroups ?? all;
  if (groups.count === 0 || !groups.isSubsetOf(all)) {
    throw new RangeError(
      `Key groups are not the operator's. operator=${quoted(operator.name)} received=${JSON.stringify(groups)} expected=some of ${JSON.stringify(all)}.`,
    );
  }
  return [{ declared, operator, groups }];
}

/** Tasks that were asked for by number keep the key groups that they had in the checkpoint, as far as the balance allows. */
export function dealKeyGroups(
  planned: readonly PlannedTask[],
  found: FoundCheckpoint | undefined,
): readonly PlannedTask[] {
  return planned.map((task) => {
    const { operator, share } = task;
    const source = found?.manifest.operators.find(({ name }) => name === operator.name);
    // Of another maxParallelism the checkpoint does not fit; that is for `judge` to say.
    if (share === undefined || source?.maxParallelism !== operator.maxParallelism) return task;
    const before = source.tasks.map(({ keyGroups }) => keyGroups);
    const groups = stickyKeyGroups(before, share.parallelism, operator.maxParallelism)[share.index];
    return groups === undefined ? task : { ...task, groups };
  });
}

function checkApart(task: PlannedTask, other: PlannedTask): void {
  if (task.operator.name !== other.operator.name) return;
  if (task.operator !== other.operator) {
    throw new TypeError(`Two operators have one name. name=${quoted(task.operator.name)}. Declare it once.`);
  }
  if (task.groups.intersect(other.groups).count > 0) {
    throw new RangeError(
      `Two tasks own the same key groups. operator=${quoted(task.operator.name)} first=${JSON.stringify(other.groups)} second=${JSON.stringify(task.groups)}. Give every key group to one task.`,
    );
  }
}

/**
 * Says for each task what it takes over from the checkpoint.
 * @throws {StateBackendError} STATE_INCOMPATIBLE if the checkpoint does not fit
 */
export function judge(
  planned: readonly PlannedTask[],
  found: FoundCheckpoint | undefined,
  ignored: readonly string[],
): JudgedTask[] {
  const sources = new Map(found?.manifest.operators.map((operator) => [operator.name, operator]));
  const running = new Set(planned.map(({ operator }) => operator.name));
  const left = [...sources.keys()].find((name) => !running.has(name) && !ignored.includes(name));
  if (left !== undefined) {
    throw new StateBackendError(
      "STATE_INCOMPATIBLE",
      `The checkpoint has an operator that the job does not run. operator=${quoted(left)}. Run it, or name it in ignoreOperators to leave its state behind.`,
    );
  }
  const matched = new Map<AnyOperator, OperatorIdentity>();
  return planned.map((task, i) => {
    const { operator, groups } = task;
    const source = sources.get(operator.name);
    const identity = matched.get(operator) ?? identityOf(operator, source);
    matched.set(operator, identity);
    if (source !== undefined) {
      // A key that moves may come from any key group.
      checkCovered(source, isOtherKey(operator, source) ? KeyGroups.all(operator.maxParallelism) : groups);
    }
    const siblings = planned.filter((other) => other.operator === operator);
    const isSameLayout =
      source !== undefined &&
      hasLayout(
        source,
        siblings.map((sibling) => sibling.groups),
      );
    if (source !== undefined && !isSameLayout) checkDealable(operator, source);
    return {
      ...task,
      identity,
      source,
      isSameLayout,
      index: siblings.indexOf(planned[i] as PlannedTask),
      taskCount: siblings.length,
    };
  });
}

/** The operator as it goes on from its checkpoint. */
function identityOf(operator: AnyOperator, source: OperatorManifest | undefined): OperatorIdentity {
  const declared = declaredOperator(operator);
  const states = matchStates(declared, source, codecJudge(operator));
  if (source !== undefined) checkFormerCodecs(operator, source);
  return { ...declared, states };
}

/** Operator state is dealt out anew by what its codec reads, so it must be declared when the tasks change. */
function checkDealable(operator: AnyOperator, source: OperatorManifest): void {
  const names = new Set(Object.keys(operator.states));
  const left = source.states.find(({ name, kind }) => isOperatorKind(kind) && !names.has(name));
  if (left === undefined) return;
  throw new StateBackendError(
    "STATE_INCOMPATIBLE",
    `Operator state that is not declared cannot be dealt out to other tasks. operator=${quoted(source.name)} state=${quoted(left.name)} kind=${left.kind}. Declare it, or run the same tasks as the checkpoint.`,
  );
}

function codecJudge(operator: AnyOperator): TakesOver {
  return (role, state, stored) => {
    if (role === "key" || state === undefined) return takesOverKeys(keyCodecOf(operator), stored);
    if (role !== "codec") return takesOverKeys(scopeCodecs(operator, state)[role], stored);
    const descriptor = isTimerKind(state.kind) ? undefined : operator.states[state.name];
    return descriptor !== undefined && stored !== undefined && takesOver(codecOf(descriptor), stored);
  };
}

function declaredOperator({ name, key, maxParallelism, states, timers }: AnyOperator): DeclaredOperator {
  return {
    name,
    maxParallelism,
    keyHash: KEY_HASH,
    key: { id: key.id, version: key.version },
    states: [
      ...Object.entries(states).map(([state, descriptor]) => declaredState(state, descriptor)),
      ...(timers === undefined ? [] : declaredTimers(timers === true ? undefined : timers.namespace)),
    ],
  };
}

function declaredState(name: string, descriptor: StateDescriptor): DeclaredState {
  const isNamespaced = descriptor.kind === "namespaced";
  const inner = isNamespaced ? descriptor.inner : descriptor;
  const { kind, codec } = inner;
  return {
    name,
    kind,
    codec: { id: codec.id, version: codec.version },
    ...(isNamespaced ? { namespace: { id: descriptor.namespace.id, version: descriptor.namespace.version } } : {}),
    ...("field" in inner ? { field: { id: inner.field.id, version: inner.field.version } } : {}),
    ...("ttl" in inner ? { ttl: { ms: inner.ttl.ms, time: inner.ttl.time } } : {}),
  };
}
