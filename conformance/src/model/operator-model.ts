/**
 * What an operator holds, in plain collections: trivially right, slow, and sharing no code with core.
 *
 * Invariants:
 * - What is stored is never changed, only replaced: so a copy of the collections is a snapshot, see `copyOf`.
 * - Keyed state belongs to no task: it falls to tasks by key group. Operator state belongs to a task each.
 */

import { type Accumulator, aggregate, CATALOG, isOperatorKind, reduce, type StateSpec } from "./catalog.js";
import { liveParts, nowFor, type Parts, renewed, renewsOnRead, stampAt, type Stamps, stampedParts } from "./expiry.js";
import { cellAddress, encodeKey, groupsOf, keyGroup, type ModelKey, type Owners, taskCount } from "./key-order.js";
import { givenValue, givenValues, mergedNamespaces, type Operation, type Verb } from "./operation.js";
import { change, changeMap, entriesOf, type Fields, read } from "./state-model.js";
import type { ModelTimers } from "./timer-model.js";
import { noTimes, rescaledTimes, type TaskTimes } from "./times.js";

/** What is stored for a key in a namespace: a value, a list, an accumulator, or a map by encoded field. */
export interface Cell extends Parts {
  readonly key: ModelKey;
  readonly namespace: string;
}

/** Operator state of one task by the name of the state: a list, or a map by encoded field. */
export type TaskContent = Map<string, unknown[] | Fields>;

export interface OperatorContent {
  /** By the name of the state, then by encoded key and namespace. */
  readonly keyed: Map<string, Map<string, Cell>>;
  readonly tasks: TaskContent[];
  /** What time it is for each task. */
  readonly times: TaskTimes[];
  readonly timers: ModelTimers;
  /** Which task owns each key group. */
  readonly owners: Owners;
  /** In which format each state has its values, by its name; 0 if it is not there. */
  readonly formats: Map<string, number>;
}

export function emptyOperator(owners: Owners): OperatorContent {
  const parallelism = taskCount(owners);
  return {
    owners,
    keyed: new Map(),
    tasks: Array.from({ length: parallelism }, (): TaskContent => new Map()),
    times: noTimes(parallelism),
    timers: new Map(),
    formats: new Map(),
  };
}

/** The operator as it is now: what happens to one of both does not show in the other. */
export function copyOf({ keyed, tasks, times, timers, owners, formats }: OperatorContent): OperatorContent {
  return {
    keyed: new Map([...keyed].map(([name, cells]) => [name, new Map(cells)])),
    tasks: tasks.map((content) => new Map(content)),
    times: times.map((each) => ({ ...each })),
    timers: new Map(timers),
    owners,
    formats: new Map(formats),
  };
}

/** Does what `operation` says, and returns what the call is to give. */
export function applyToModel(content: OperatorContent, operation: Operation, maxParallelism: number): unknown {
  const { spec } = operation;
  if (isOperatorKind(spec.kind)) return applyToTasks(content, operation);
  if (operation.verb === "keys") {
    const task = taskOf(operation.key, content, maxParallelism);
    return presentKeys(content, { ...operation, task, maxParallelism });
  }
  const now = nowOfKey(content, operation, maxParallelism);
  if (operation.verb === "deleteAll") return deleteAll(content, operation, maxParallelism);
  if (operation.verb === "merge") return mergeInModel(content, operation, now);
  const cells = cellsOf(content, spec.name);
  const address = addressOf(operation);
  const before = cells.get(address);
  const live = before === undefined ? undefined : liveParts(before, now);
  const { next, result } = change(live?.content, operation);
  // A read changes a cell only where it meets what has expired, or renews.
  if (READS.includes(operation.verb) && live === before && !renewsOnRead(spec)) return result;
  const stamp = spec.ttl === undefined ? undefined : stampAt(spec.ttl, now);
  const parts = stamp === undefined ? plainParts(next) : stampedParts({ before, live, next, operation, stamp });
  if (parts === undefined) cells.delete(address);
  else cells.set(address, { key: operation.key, namespace: operation.namespace, ...parts });
  return result;
}

const READS: readonly Verb[] = ["get", "has", "isEmpty", "entries"];

/** What time it is for the state of the operation, in the task that owns its key. */
export function nowOfKey(
  content: OperatorContent,
  { spec, key }: Pick<Operation, "spec" | "key">,
  maxParallelism: number,
): number | undefined {
  if (spec.ttl === undefined) return undefined;
  return nowFor(spec.ttl, content.times[taskOf(key, content, maxParallelism)] as TaskTimes);
}

/** What is stored for the key and namespace of an operation, with what has expired. */
export function storedParts(content: OperatorContent, operation: Operation): Parts | undefined {
  return content.keyed.get(operation.spec.name)?.get(addressOf(operation));
}

function plainParts(next: unknown): Parts | undefined {
  return next === undefined ? undefined : { content: next };
}

/** Deletes every key that is present in the task that owns the operation's key, and gives them. */
function deleteAll(content: OperatorContent, operation: Operation, maxParallelism: number): ModelKey[] {
  const task = taskOf(operation.key, content, maxParallelism);
  const keys = presentKeys(content, { ...operation, task, maxParallelism });
  const cells = cellsOf(content, operation.spec.name);
  for (const key of keys) cells.delete(addressOf({ ...operation, key }));
  return keys;
}

/** Which task owns a key. */
export function taskOf(key: ModelKey, { owners }: OperatorContent, maxParallelism: number): number {
  return owners[keyGroup(key, maxParallelism)] ?? -1;
}

export interface Enumeration {
  readonly spec: StateSpec;
  readonly namespace: string;
  readonly task: number;
  readonly maxParallelism: number;
}

/** Keys that are present in a namespace of one task, in the order that enumerations promise. */
export function presentKeys(content: OperatorContent, where: Enumeration): ModelKey[] {
  return presentCells(content, where).map(({ key }) => (typeof key === "number" ? key + 0 : key));
}

/** What reading each present key gives, in the order of the enumeration. */
export function presentContents(content: OperatorContent, where: Enumeration): (readonly [ModelKey, unknown])[] {
  return presentCells(content, where).map(({ key, content: stored }) => [key, read(where.spec, stored)] as const);
}

/** What a task holds in an operator state. */
export function taskContents({ tasks }: OperatorContent, spec: StateSpec, task: number): unknown {
  const stored = tasks[task]?.get(spec.name);
  return spec.kind === "broadcast" ? entriesOf(stored as Fields | undefined) : [...((stored as unknown[]) ?? [])];
}

/** The content as it comes back under other tasks. What has expired is gone, whatever time it is for the new ones. */
export function rescaled(
  content: OperatorContent,
  specs: readonly StateSpec[],
  { owners, maxParallelism }: { readonly owners: Owners; readonly maxParallelism: number },
): OperatorContent {
  const next: OperatorContent = { ...copyOf(content), owners };
  const parallelism = taskCount(owners);
  const same = sameTasks(content.owners, owners);
  if (same !== undefined) {
    next.tasks.splice(0, parallelism, ...same.map((task) => next.tasks[task] as TaskContent));
    next.times.splice(0, parallelism, ...same.map((task) => next.times[task] as TaskTimes));
    return next;
  }
  for (const spec of specs) dropExpired({ ...next, owners: content.owners }, spec, maxParallelism);
  const before = next.tasks.splice(0);
  next.times.push(...rescaledTimes(next.times.splice(0), content.owners, owners));
  for (let task = 0; task < parallelism; task++) {
    next.tasks.push(new Map(specs.flatMap((spec) => dealt(before, spec, { task, parallelism }))));
  }
  return next;
}

/** For each task the one that owned the same; `undefined` if there is none for some. */
function sameTasks(from: Owners, to: Owners): number[] | undefined {
  const before = Array.from({ length: taskCount(from) }, (_, task) => groupsOf(from, task).join());
  const found = Array.from({ length: taskCount(to) }, (_, task) => before.indexOf(groupsOf(to, task).join()));
  return found.includes(-1) || found.length !== before.length ? undefined : found;
}

/** By the clock what has expired stays so by itself: whether it was removed may show once more. */
function dropExpired(content: OperatorContent, spec: StateSpec, maxParallelism: number): void {
  if (spec.ttl?.time !== "event") return;
  for (const [address, cell] of cellsOf(content, spec.name)) {
    const live = liveParts(cell, nowOfKey(content, { spec, key: cell.key }, maxParallelism));
    if (live === undefined) cellsOf(content, spec.name).delete(address);
    else cellsOf(content, spec.name).set(address, { ...cell, ...live });
  }
}

/** What a look at everything that is present does to a state: reads remove what has expired, and renew if they are to. */
export function readAll(content: OperatorContent, spec: StateSpec, maxParallelism: number): void {
  const { ttl } = spec;
  if (ttl === undefined) return;
  for (const [address, cell] of cellsOf(content, spec.name)) {
    const now = nowOfKey(content, { spec, key: cell.key }, maxParallelism);
    const live = liveParts(cell, now);
    // Nobody asks for a key that is not enumerated.
    if (live === undefined) continue;
    const stamps = ttl.update === "on-read-and-write" ? renewed(spec, live.content, stampAt(ttl, now)) : live.stamps;
    cellsOf(content, spec.name).set(address, { ...cell, content: live.content, stamps });
  }
}

/** What a restore does to a state that was declared with a time to live and is not now, or the other way round. */
export function turnTtl(content: OperatorContent, spec: StateSpec, maxParallelism: number): void {
  const { name, ttl } = spec;
  for (const [address, cell] of content.keyed.get(name) ?? []) {
    if ((cell.stamps === undefined) === (ttl === undefined)) continue;
    if (ttl !== undefined) {
      const stamp = stampAt(ttl, nowOfKey(content, { spec, key: cell.key }, maxParallelism));
      cellsOf(content, name).set(address, { ...cell, stamps: renewed(spec, cell.content, stamp) });
      continue;
    }
    const known = CATALOG.find((other) => other.name === name) as StateSpec;
    const live = liveParts(cell, nowOfKey(content, { spec: known, key: cell.key }, maxParallelism));
    if (live === undefined) cellsOf(content, name).delete(address);
    else cellsOf(content, name).set(address, { key: cell.key, namespace: cell.namespace, content: live.content });
  }
}

function dealt(
  before: readonly TaskContent[],
  { kind, name }: StateSpec,
  { task, parallelism }: { readonly task: number; readonly parallelism: number },
): [string, unknown[] | Fields][] {
  if (kind === "broadcast") {
    const copy = before[0]?.get(name);
    return copy === undefined ? [] : [[name, copy]];
  }
  if (!isOperatorKind(kind)) return [];
  const all = before.flatMap((content) => (content.get(name) as unknown[] | undefined) ?? []);
  if (kind === "union-list") return [[name, all]];
  const bound = (index: number): number => Math.floor((index * all.length) / parallelism);
  return [[name, all.slice(bound(task), bound(task + 1))]];
}

function presentCells(content: OperatorContent, where: Enumeration): Cell[] {
  const { spec, namespace, task, maxParallelism } = where;
  const found: Cell[] = [];
  for (const cell of content.keyed.get(spec.name)?.values() ?? []) {
    if (cell.namespace !== namespace || taskOf(cell.key, content, maxParallelism) !== task) continue;
    const live = liveParts(cell, nowOfKey(content, { spec, key: cell.key }, maxParallelism));
    if (live !== undefined) found.push(live === cell ? cell : { ...cell, ...live });
  }
  return found.sort((a, b) => compareCells(a, b, maxParallelism));
}

/** By key group, then by encoded key. */
function compareCells(a: Cell, b: Cell, maxParallelism: number): number {
  const groups = keyGroup(a.key, maxParallelism) - keyGroup(b.key, maxParallelism);
  return groups !== 0 ? groups : encodeKey(a.key) < encodeKey(b.key) ? -1 : 1;
}

function cellsOf({ keyed }: OperatorContent, name: string): Map<string, Cell> {
  const known = keyed.get(name) ?? new Map<string, Cell>();
  keyed.set(name, known);
  return known;
}

function addressOf({ key, namespace }: Operation): string {
  return cellAddress(key, namespace);
}

/** Everything of the sources goes into the operation's namespace. */
function mergeInModel(content: OperatorContent, operation: Operation, now: number | undefined): undefined {
  const { spec, namespace: target, key } = operation;
  const cells = cellsOf(content, spec.name);
  const sources = [...new Set(mergedNamespaces(operation))].filter((namespace) => namespace !== target);
  const take = (namespace: string): Parts | undefined => {
    const cell = cells.get(addressOf({ ...operation, namespace }));
    return cell === undefined ? undefined : liveParts(cell, now);
  };
  const moved = sources.flatMap((namespace) => take(namespace) ?? []);
  const before = spec.kind === "list" ? cells.get(addressOf(operation)) : take(target);
  for (const namespace of sources) cells.delete(addressOf({ ...operation, namespace }));
  if (moved.length === 0) return undefined;
  const parts = [...(before === undefined ? [] : [before]), ...moved];
  const next = parts.map((part) => part.content).reduce((left, right) => combined(spec, left, right));
  const stamps = spec.ttl === undefined ? undefined : mergedStamps(before, next, stampAt(spec.ttl, now));
  cells.set(addressOf(operation), {
    key,
    namespace: target,
    content: next,
    ...(stamps === undefined ? {} : { stamps }),
  });
  return undefined;
}

/** What comes in is stamped anew; the elements that were there keep their stamps. */
function mergedStamps(before: Parts | undefined, next: unknown, stamp: number): Stamps {
  if (!Array.isArray(next)) return stamp;
  const kept = (before?.stamps as number[] | undefined) ?? [];
  return next.map((_, at) => kept[at] ?? stamp);
}

function combined({ kind }: StateSpec, left: unknown, right: unknown): unknown {
  if (kind === "list") return [...(left as unknown[]), ...(right as unknown[])];
  return kind === "reducing"
    ? reduce(left as string, right as string)
    : aggregate.merge(left as Accumulator, right as Accumulator);
}

function applyToTasks({ tasks }: OperatorContent, operation: Operation): unknown {
  const { spec, verb, task: choice } = operation;
  const task = tasks[choice % tasks.length] as TaskContent;
  if (spec.kind === "broadcast") {
    const before = task.get(spec.name) as Fields | undefined;
    const { next, result } = changeMap(before, operation);
    // Whoever writes a broadcast state writes the same in every task.
    for (const each of tasks) each.set(spec.name, new Map((next as Fields | undefined) ?? []));
    return result;
  }
  const before = (task.get(spec.name) as unknown[] | undefined) ?? [];
  if (verb === "get") return before;
  task.set(spec.name, verb === "add" ? [...before, givenValue(operation)] : givenValues(operation));
  return undefined;
}
