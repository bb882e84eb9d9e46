/** The whole state as lines of text: of a real job, and as the model says. Equal states have equal lines. */

import { call, collect, handleOf, type LooseTask, type RunningJob } from "../commands/call-state.js";
import { MAX_PARALLELISM } from "../commands/declare.js";
import { canonical } from "../model/canonical.js";
import { isLenient, isOperatorKind, type StateSpec } from "../model/catalog.js";
import { NAMESPACES } from "../model/domains.js";
import type { ModelKey } from "../model/key-order.js";
import { type OperatorContent, presentContents, taskContents, taskOf } from "../model/operator-model.js";
import { type ModelTimer, showTimer, timersInOrder } from "../model/timer-model.js";

/** Reads everything of a running job, in the order in which it is enumerated. */
export async function observeJob(job: RunningJob, declared: readonly (readonly StateSpec[])[]): Promise<string[]> {
  const lines: string[] = [];
  for (const [operator, tasks] of job.operators.entries()) {
    for (const [index, task] of tasks.entries()) {
      for (const spec of inNameOrder(declared[operator])) {
        lines.push(...(await observeState(task, spec, `#${operator}.${index}`)));
      }
      lines.push(...observeTimers(task, `#${operator}.${index}`));
    }
  }
  return lines;
}

/** The lines that `observeJob` is to give. */
export function expectedLines(
  contents: readonly OperatorContent[],
  declared: readonly (readonly StateSpec[])[],
): string[] {
  return contents.flatMap((content, operator) =>
    content.tasks.flatMap((_, task) => [
      ...inNameOrder(declared[operator]).flatMap((spec) => expectedState(content, spec, { operator, task })),
      ...expectedTimers(content, { operator, task }),
    ]),
  );
}

/** The first line that differs, or `undefined`. */
export function firstDifference(actual: readonly string[], expected: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(actual.length, expected.length) }).findIndex(
    (_, index) => actual[index] !== expected[index],
  );
  return at < 0 ? undefined : `found ${cut(actual[at])} where ${cut(expected[at])} was expected (line ${at})`;
}

function cut(line: string | undefined): string {
  return line === undefined ? "the end" : line.slice(0, 400);
}

/** Declarations come in any order; what a state holds does not depend on it. */
function inNameOrder(specs: readonly StateSpec[] = []): StateSpec[] {
  return [...specs].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function observeState(task: LooseTask, spec: StateSpec, where: string): Promise<string[]> {
  if (isOperatorKind(spec.kind)) {
    const handle = handleOf(task, { spec, namespace: "" });
    const content = spec.kind === "broadcast" ? [...(call(handle, "entries") as unknown[])] : call(handle, "get");
    return [line(place(where, spec, ""), ["", content])];
  }
  const lines: string[] = [];
  for (const namespace of namespacesOf(spec)) {
    const handle = handleOf(task, { spec, namespace });
    for (const key of await collect(call(handle, "keys"))) {
      const read = async (): Promise<unknown> =>
        spec.kind === "map" ? collect(call(handle, "entries", key)) : call(handle, "get", key);
      // What has expired may be seen once more, and only once.
      if (isLenient(spec)) await read();
      lines.push(line(place(where, spec, namespace), [key, await read()]));
    }
  }
  return lines;
}

function observeTimers(task: LooseTask, where: string): string[] {
  const kinds = TIMER_KINDS.map((kind) => {
    const entries = call(task.timers[kind], "entries") as readonly Omit<ModelTimer, "kind">[];
    return `${where} ${entries.length} timers: ${entries.map((timer) => showTimer({ kind, ...timer })).join()}`;
  });
  return [...kinds, `${where} watermark ${task.watermark() ?? null}`];
}

const TIMER_KINDS = ["event", "processing"] as const;

interface Where {
  readonly operator: number;
  readonly task: number;
}

function expectedTimers(content: OperatorContent, { operator, task }: Where): string[] {
  const where = `#${operator}.${task}`;
  const isOwn = (key: ModelKey): boolean => taskOf(key, content, MAX_PARALLELISM) === task;
  const kinds = TIMER_KINDS.map((kind) => {
    const timers = timersInOrder(content.timers, { kind, isOwn });
    return `${where} ${timers.length} timers: ${timers.map(showTimer).join()}`;
  });
  return [...kinds, `${where} watermark ${content.times[task]?.watermark ?? null}`];
}

function expectedState(content: OperatorContent, spec: StateSpec, { operator, task }: Where): string[] {
  const where = `#${operator}.${task}`;
  if (isOperatorKind(spec.kind)) return [line(place(where, spec, ""), ["", taskContents(content, spec, task)])];
  return namespacesOf(spec).flatMap((namespace) => {
    const present = presentContents(content, { spec, namespace, task, maxParallelism: MAX_PARALLELISM });
    return present.map((entry) => line(place(where, spec, namespace), entry));
  });
}

function namespacesOf({ isNamespaced }: StateSpec): readonly string[] {
  return isNamespaced ? NAMESPACES : [""];
}

function line(where: string, [key, content]: readonly [unknown, unknown]): string {
  return `${where} ${canonical(key)} = ${canonical(content)}`;
}

function place(where: string, { name }: StateSpec, namespace: string): string {
  return `${where} ${JSON.stringify(name)} ${JSON.stringify(namespace)}`;
}
