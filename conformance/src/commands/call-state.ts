/** Calls of a real job's states. */

import type { JobControl, KeyGroups } from "@tidemark/core";
import { isOperatorKind } from "../model/catalog.js";
import { keyGroup, type ModelKey } from "../model/key-order.js";
import {
  givenValue,
  givenValues,
  mergedNamespaces,
  type Operation,
  setAllEntries,
  updated,
  type Verb,
} from "../model/operation.js";
import type { ModelTimer } from "../model/timer-model.js";
import { MAX_PARALLELISM } from "./declare.js";
import { tamper } from "./tamper.js";

/** Any handle of a state, or of a namespace of one. */
export type Handle = Readonly<Record<string, (...given: readonly unknown[]) => unknown>>;

/** A task whose states are known by name only. */
export interface LooseTask {
  readonly keyGroups: KeyGroups;
  readonly states: Readonly<Record<string, Handle>>;
  readonly timers: LooseTimers;
  /** The highest watermark; `undefined` before the first. */
  watermark(): number | undefined;
  advanceWatermark(time: number): Promise<void>;
}

/** The timers of a task. */
export interface LooseTimers {
  readonly event: Handle;
  readonly processing: Handle;
  onFire(handler: (timer: ModelTimer) => unknown): void;
}

/** A running job: for each operator its tasks. */
export interface RunningJob {
  readonly control: JobControl;
  readonly operators: readonly (readonly LooseTask[])[];
  /** What the job has told its listener, in order: `completed 3`, `aborted 4`, `subsumed 1,2`. */
  readonly heard: string[];
}

/** Does what `operation` says, and resolves to what the call gave. */
export async function callState(job: RunningJob, operation: Operation): Promise<unknown> {
  return startCall(job, operation);
}

/** As `callState`, in the task given, whoever owns the key. */
export async function callKeyed(task: LooseTask, operation: Operation): Promise<unknown> {
  return startKeyed(task, operation);
}

/** What the call gave, or a promise of it if the call gives one; throws what the call throws. */
export function startCall(job: RunningJob, operation: Operation): unknown {
  const tasks = job.operators[operation.operator] ?? [];
  if (isOperatorKind(operation.spec.kind)) return callOperatorState(tasks, operation);
  const task = tasks[ownerIndex(operation.key, tasks)] as LooseTask;
  return startKeyed(task, operation);
}

/** Whether something has to be waited for. */
export function isPromise(given: unknown): given is PromiseLike<unknown> {
  return typeof given === "object" && given !== null && typeof (given as { then?: unknown }).then === "function";
}

/** Methods that have a form without a promise. */
const SYNC_FORMS: Readonly<Partial<Record<Verb, string>>> = {
  get: "getSync",
  has: "hasSync",
  isEmpty: "isEmptySync",
  keys: "keysSync",
  entries: "entriesSync",
};

function startKeyed(task: LooseTask, operation: Operation): unknown {
  if (operation.verb === "merge") return mergeNamespaces(task, operation);
  const handle = handleOf(task, operation);
  const { verb, key, field } = operation;
  const syncForm = SYNC_FORMS[verb];
  const method = operation.isSync && syncForm !== undefined && syncForm in handle ? syncForm : verb;
  switch (verb) {
    case "keys":
      return allOf(call(handle, method));
    case "entries":
      return allOf(call(handle, method, key));
    case "deleteAll":
      return deleteAll(handle, operation);
    case "drain":
      return drain(handle, operation);
    case "update":
      return call(handle, "update", key, (current: unknown) => updated(current, operation));
    case "get":
    case "has":
    case "isEmpty": {
      const arguments_ = operation.spec.kind === "map" && verb !== "isEmpty" ? [key, field] : [key];
      return call(handle, method, ...arguments_);
    }
    default:
      return writeKeyed(handle, operation);
  }
}

/** The items of an enumeration, or a promise of them. */
function allOf(items: unknown): unknown {
  return Symbol.asyncIterator in (items as object) ? collect(items) : [...(items as Iterable<unknown>)];
}

/** Deletes each key as it is met. */
function deleteAll(handle: Handle, { isSync, spec }: Operation): unknown {
  const method = isSync && "keysSync" in handle ? "keysSync" : "keys";
  return meetAll(call(handle, method), (key) => void call(handle, spec.kind === "map" ? "clear" : "delete", key));
}

/** Deletes each field as it is met, and sets one behind the first. */
function drain(handle: Handle, operation: Operation): unknown {
  const { key, field, isSync } = operation;
  const method = isSync && "entriesSync" in handle ? "entriesSync" : "entries";
  return meetAll(call(handle, method, key), (entry, index) => {
    call(handle, "delete", key, (entry as readonly [unknown, unknown])[0]);
    if (index === 0) call(handle, "set", key, field, givenValue(operation));
  });
}

/** Does something at each item, as it is met; gives the items. */
function meetAll(items: unknown, meet: (item: unknown, index: number) => void): unknown {
  const found: unknown[] = [];
  const take = (item: unknown): void => meet(item, found.push(item) - 1);
  if (Symbol.asyncIterator in (items as object)) {
    return takeAll(items as AsyncIterable<unknown>, take).then(() => found);
  }
  for (const item of items as Iterable<unknown>) take(item);
  return found;
}

async function takeAll(items: AsyncIterable<unknown>, take: (item: unknown) => void): Promise<void> {
  for await (const item of items) take(item);
}

function mergeNamespaces(task: LooseTask, operation: Operation): unknown {
  const { key, namespace, isSync } = operation;
  const state = stateOf(task, operation);
  const method = isSync && "mergeNamespacesSync" in state ? "mergeNamespacesSync" : "mergeNamespaces";
  return nothingOf(call(state, method, key, namespace, mergedNamespaces(operation)));
}

/** What a write gives is not looked at, except that it may have to be waited for. */
function nothingOf(given: unknown): Promise<undefined> | undefined {
  return isPromise(given) ? Promise.resolve(given).then(() => undefined) : undefined;
}

function stateOf(task: LooseTask, { spec }: Pick<Operation, "spec">): Handle {
  const found = Object.hasOwn(task.states, spec.name) ? task.states[spec.name] : undefined;
  if (found === undefined) throw new Error(`The task has no such state. name=${spec.name}`);
  return found;
}

export function handleOf(task: LooseTask, { spec, namespace }: Pick<Operation, "spec" | "namespace">): Handle {
  const found = stateOf(task, { spec });
  return spec.isNamespaced ? (call(found, "in", namespace) as Handle) : found;
}

export function call(handle: Handle, method: string, ...given: readonly unknown[]): unknown {
  const found = handle[method];
  if (found === undefined) throw new Error(`The state has no such method. name=${method}`);
  return found.call(handle, ...given);
}

/** Which of `tasks` owns a key. */
export function ownerIndex(key: ModelKey, tasks: readonly LooseTask[]): number {
  const group = keyGroup(key, MAX_PARALLELISM);
  return tasks.findIndex(({ keyGroups }) => keyGroups.has(group));
}

function writeKeyed(handle: Handle, operation: Operation): Promise<undefined> | undefined {
  const { spec, verb, key, field } = operation;
  const isSync = operation.isSync && "addSync" in handle;
  const folds = spec.kind === "reducing" || spec.kind === "aggregating";
  if (verb === "delete" && spec.kind === "map") call(handle, "delete", key, field);
  else if (verb === "delete" || verb === "clear") call(handle, verb, key);
  else if (verb === "setAll") call(handle, "setAll", key, setAllEntries(operation));
  else if (folds) return nothingOf(call(handle, isSync ? "addSync" : "add", key, givenValue(operation)));
  else {
    return writeValues(operation, (given) => call(handle, verb, key, ...(spec.kind === "map" ? [field] : []), given));
  }
  return undefined;
}

/** Lists are set as a whole, everything else is given one value. */
function writeValues(operation: Operation, write: (given: unknown) => unknown): Promise<undefined> | undefined {
  const { spec, verb, tampers } = operation;
  const isList = spec.kind === "list" || spec.kind === "split-list" || spec.kind === "union-list";
  const given = isList && verb !== "add" ? givenValues(operation) : givenValue(operation);
  const written = nothingOf(write(given));
  if (!tampers) return written;
  if (written !== undefined) return written.then(() => void tamper(given));
  tamper(given);
  return undefined;
}

function callOperatorState(tasks: readonly LooseTask[], operation: Operation): unknown {
  const { spec, verb, field, task } = operation;
  if (spec.kind !== "broadcast") {
    const handle = handleOf(tasks[task % tasks.length] as LooseTask, operation);
    if (verb === "get") return call(handle, "get");
    return writeValues(operation, (given) => call(handle, verb, given));
  }
  const handles = tasks.map((each) => handleOf(each, operation));
  const one = handles[task % handles.length] as Handle;
  if (verb === "entries") return [...(call(one, "entries") as Iterable<unknown>)];
  if (verb === "get") return call(one, "get", field);
  const written = handles.map((handle) => {
    if (verb === "set") return writeValues(operation, (given) => call(handle, "set", field, given));
    return nothingOf(call(handle, verb, ...(verb === "delete" ? [field] : [])));
  });
  const underWay = written.filter((each) => each !== undefined);
  return underWay.length === 0 ? undefined : Promise.all(underWay).then(() => undefined);
}

export async function collect(items: unknown): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items as AsyncIterable<unknown>) found.push(item);
  return found;
}
