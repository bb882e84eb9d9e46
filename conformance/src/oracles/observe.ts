/**
 * The whole state, observed: of a real job, and as the model says. Equal states have equal observations, in the same order.
 *
 * Invariants:
 * - An observation is told as a line of text. Texts are made when somebody asks for them: nearly all observations agree.
 */

import { call, collect, handleOf, type LooseTask, type RunningJob } from "../commands/call-state.js";
import { MAX_PARALLELISM } from "../commands/declare.js";
import { canonical } from "../model/canonical.js";
import { isLenient, isOperatorKind, type StateSpec } from "../model/catalog.js";
import { NAMESPACES } from "../model/domains.js";
import type { ModelKey } from "../model/key-order.js";
import { type OperatorContent, presentContents, taskContents, taskOf } from "../model/operator-model.js";
import { isSurelySame } from "../model/same-value.js";
import { type ModelTimer, showTimer, timersInOrder } from "../model/timer-model.js";
import { firstDifference } from "./first-difference.js";

/** A task of an operator. */
interface Where {
  readonly operator: number;
  readonly task: number;
}

/** What one key has in one namespace of a state; of operator state, all that a task has. */
interface Entry extends Where {
  readonly spec: StateSpec;
  readonly namespace: string;
  readonly key: unknown;
  readonly content: unknown;
}

/** A text: of what is no state. */
export type Observation = Entry | string;

/** Reads everything of a running job, in the order in which it is enumerated. */
export async function observeJob(
  job: RunningJob,
  declared: readonly (readonly StateSpec[])[],
): Promise<readonly Observation[]> {
  const found: Observation[] = [];
  for (const [operator, tasks] of job.operators.entries()) {
    for (const [index, task] of tasks.entries()) {
      const where = { operator, task: index };
      for (const spec of inNameOrder(declared[operator])) await observeState(task, { spec, where }, found);
      found.push(...observeTimers(task, where));
    }
  }
  return found;
}

/** What `observeJob` is to give. */
export function expectedState(
  contents: readonly OperatorContent[],
  declared: readonly (readonly StateSpec[])[],
): readonly Observation[] {
  const expected: Observation[] = [];
  for (const [operator, content] of contents.entries()) {
    for (const task of content.tasks.keys()) {
      for (const spec of inNameOrder(declared[operator])) {
        addExpected(content, { spec, where: { operator, task } }, expected);
      }
      expected.push(...expectedTimers(content, { operator, task }));
    }
  }
  return expected;
}

/** The first line that differs, or `undefined`. */
export function stateDifference(found: readonly Observation[], expected: readonly Observation[]): string | undefined {
  const areSame =
    found.length === expected.length &&
    found.every((each, index) => areSurelySame(each, expected[index] as Observation));
  return areSame ? undefined : firstDifference(linesOf(found), linesOf(expected));
}

/** One line for each observation. */
export function linesOf(observations: readonly Observation[]): string[] {
  return observations.map((each) => {
    if (typeof each === "string") return each;
    const { operator, task, spec, namespace, key, content } = each;
    const place = `#${operator}.${task} ${JSON.stringify(spec.name)} ${JSON.stringify(namespace)}`;
    return `${place} ${canonical(key)} = ${canonical(content)}`;
  });
}

function areSurelySame(a: Observation, b: Observation): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return (
    a.operator === b.operator &&
    a.task === b.task &&
    a.spec === b.spec &&
    a.namespace === b.namespace &&
    isSurelySame(a.key, b.key) &&
    isSurelySame(a.content, b.content)
  );
}

const ordered = new WeakMap<readonly StateSpec[], readonly StateSpec[]>();

/** Declarations come in any order; what a state holds does not depend on it. */
function inNameOrder(specs: readonly StateSpec[] = []): readonly StateSpec[] {
  const known = ordered.get(specs);
  if (known !== undefined) return known;
  const sorted = [...specs].sort((a, b) => (a.name < b.name ? -1 : 1));
  ordered.set(specs, sorted);
  return sorted;
}

/** A state of a task. */
interface Place {
  readonly spec: StateSpec;
  readonly where: Where;
}

async function observeState(task: LooseTask, { spec, where }: Place, found: Observation[]): Promise<void> {
  const { operator, task: index } = where;
  if (isOperatorKind(spec.kind)) {
    const handle = handleOf(task, { spec, namespace: "" });
    const content = spec.kind === "broadcast" ? [...(call(handle, "entries") as unknown[])] : call(handle, "get");
    found.push({ operator, task: index, spec, namespace: "", key: "", content });
    return;
  }
  for (const namespace of namespacesOf(spec)) {
    const handle = handleOf(task, { spec, namespace });
    for (const key of await collect(call(handle, "keys"))) {
      const read = async (): Promise<unknown> =>
        spec.kind === "map" ? collect(call(handle, "entries", key)) : call(handle, "get", key);
      // What has expired may be seen once more, and only once.
      if (isLenient(spec)) await read();
      found.push({ operator, task: index, spec, namespace, key, content: await read() });
    }
  }
}

function observeTimers(task: LooseTask, { operator, task: index }: Where): string[] {
  const where = `#${operator}.${index}`;
  const kinds = TIMER_KINDS.map((kind) => {
    const entries = call(task.timers[kind], "entries") as readonly Omit<ModelTimer, "kind">[];
    return `${where} ${entries.length} timers: ${entries.map((timer) => showTimer({ kind, ...timer })).join()}`;
  });
  return [...kinds, `${where} watermark ${task.watermark() ?? null}`];
}

const TIMER_KINDS = ["event", "processing"] as const;

function expectedTimers(content: OperatorContent, { operator, task }: Where): string[] {
  const where = `#${operator}.${task}`;
  const isOwn = (key: ModelKey): boolean => taskOf(key, content, MAX_PARALLELISM) === task;
  const kinds = TIMER_KINDS.map((kind) => {
    const timers = timersInOrder(content.timers, { kind, isOwn });
    return `${where} ${timers.length} timers: ${timers.map(showTimer).join()}`;
  });
  return [...kinds, `${where} watermark ${content.times[task]?.watermark ?? null}`];
}

function addExpected(content: OperatorContent, { spec, where }: Place, expected: Observation[]): void {
  const { operator, task } = where;
  if (isOperatorKind(spec.kind)) {
    expected.push({ operator, task, spec, namespace: "", key: "", content: taskContents(content, spec, task) });
    return;
  }
  if (content.keyed.get(spec.name) === undefined) return;
  for (const namespace of namespacesOf(spec)) {
    const present = presentContents(content, { spec, namespace, task, maxParallelism: MAX_PARALLELISM });
    for (const [key, stored] of present) expected.push({ operator, task, spec, namespace, key, content: stored });
  }
}

function namespacesOf({ isNamespaced }: StateSpec): readonly string[] {
  return isNamespaced ? NAMESPACES : NO_NAMESPACE;
}

const NO_NAMESPACE: readonly string[] = [""];
