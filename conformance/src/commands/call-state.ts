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
} from "../model/operation.js";
import type { ModelTimer } from "../model/timer-model.js";
import { MAX_PARALLELISM } from "./declare.js";

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
  const tasks = job.operators[operation.operator] ?? [];
  if (isOperatorKind(operation.spec.kind)) return callOperatorState(tasks, operation);
  const task = tasks[ownerIndex(operation.key, tasks)] as LooseTask;
  return callKeyed(task, operation);
}

/** As `callState`, in the task given, whoever owns the key. */
export async function callKeyed(task: LooseTask, operation: Operation): Promise<unknown> {
  if (operation.verb === "merge") return mergeNamespaces(task, operation);
  const handle = handleOf(task, operation);
  const { verb, key, field } = operation;
  const isSync = operation.isSync && `${verb}Sync` in handle;
  switch (verb) {
    case "keys":
      return isSync ? [...(call(handle, "keysSync") as Iterable<unknown>)] : collect(call(handle, "keys"));
    case "entries":
      return isSync
        ? [...(call(handle, "entriesSync", key) as Iterable<unknown>)]
        : collect(call(handle, "entries", key));
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
      return isSync ? call(handle, `${verb}Sync`, ...arguments_) : await call(handle, verb, ...arguments_);
    }
    default:
      return writeKeyed(handle, operation);
  }
}

/** Deletes each key as it is met. */
async function deleteAll(handle: Handle, { isSync, spec }: Operation): Promise<unknown[]> {
  const found: unknown[] = [];
  const keys = call(handle, isSync && "keysSync" in handle ? "keysSync" : "keys") as AsyncIterable<unknown>;
  for await (const key of keys) {
    found.push(key);
    call(handle, spec.kind === "map" ? "clear" : "delete", key);
  }
  return found;
}

/** Deletes each field as it is met, and sets one behind the first. */
async function drain(handle: Handle, operation: Operation): Promise<unknown[]> {
  const { key, field, isSync } = operation;
  const found: unknown[] = [];
  const method = isSync && "entriesSync" in handle ? "entriesSync" : "entries";
  const entries = call(handle, method, key) as AsyncIterable<[unknown, unknown]>;
  for await (const entry of entries) {
    found.push(entry);
    call(handle, "delete", key, entry[0]);
    if (found.length === 1) call(handle, "set", key, field, givenValue(operation));
  }
  return found;
}

async function mergeNamespaces(task: LooseTask, operation: Operation): Promise<void> {
  const { key, namespace, isSync } = operation;
  const state = stateOf(task, operation);
  const method = isSync && "mergeNamespacesSync" in state ? "mergeNamespacesSync" : "mergeNamespaces";
  await call(state, method, key, namespace, mergedNamespaces(operation));
}

function stateOf(task: LooseTask, { spec }: Pick<Operation, "spec">): Handle {
  const found = Object.getOwnPropertyDescriptor(task.states, spec.name)?.value as Handle | undefined;
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

async function writeKeyed(handle: Handle, operation: Operation): Promise<undefined> {
  const { spec, verb, key, field } = operation;
  const isSync = operation.isSync && "addSync" in handle;
  const folds = spec.kind === "reducing" || spec.kind === "aggregating";
  if (verb === "delete" && spec.kind === "map") call(handle, "delete", key, field);
  else if (verb === "delete" || verb === "clear") call(handle, verb, key);
  else if (verb === "setAll") call(handle, "setAll", key, setAllEntries(operation));
  else if (folds) await call(handle, isSync ? "addSync" : "add", key, givenValue(operation));
  else await writeValues(operation, (given) => call(handle, verb, key, ...(spec.kind === "map" ? [field] : []), given));
  return undefined;
}

/** Lists are set as a whole, everything else is given one value. */
async function writeValues(operation: Operation, write: (given: unknown) => unknown): Promise<void> {
  const { spec, verb, tampers } = operation;
  const isList = spec.kind === "list" || spec.kind === "split-list" || spec.kind === "union-list";
  const given = isList && verb !== "add" ? givenValues(operation) : givenValue(operation);
  await write(given);
  if (tampers) tamper(given);
}

async function callOperatorState(tasks: readonly LooseTask[], operation: Operation): Promise<unknown> {
  const { spec, verb, field, task } = operation;
  if (spec.kind !== "broadcast") {
    const handle = handleOf(tasks[task % tasks.length] as LooseTask, operation);
    if (verb === "get") return call(handle, "get");
    await writeValues(operation, (given) => call(handle, verb, given));
    return undefined;
  }
  const handles = tasks.map((each) => handleOf(each, operation));
  const one = handles[task % handles.length] as Handle;
  if (verb === "entries") return [...(call(one, "entries") as Iterable<unknown>)];
  if (verb === "get") return call(one, "get", field);
  for (const handle of handles) {
    if (verb === "set") await writeValues(operation, (given) => call(handle, "set", field, given));
    else call(handle, verb, ...(verb === "delete" ? [field] : []));
  }
  return undefined;
}

export async function collect(items: unknown): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items as AsyncIterable<unknown>) found.push(item);
  return found;
}

/** Changes whatever can be changed of a value that a state was given, or has given. */
export function tamper(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const container = value instanceof Map || value instanceof Set ? (value as ReadonlyMap<unknown, unknown>) : undefined;
  const members = container === undefined ? [] : [...container.keys(), ...container.values()];
  if (!ArrayBuffer.isView(value)) {
    for (const member of [...members, ...(Object.values(value) as unknown[])]) tamper(member);
  }
  for (const change of changesOf(value)) {
    try {
      change();
    } catch {
      // It is frozen: all the better.
    }
  }
}

function changesOf(value: object): (() => unknown)[] {
  if (Array.isArray(value)) return [() => value.push("tampered"), () => (value[0] = "tampered")];
  if (value instanceof Date) return [() => value.setTime(99)];
  if (value instanceof Map) return [() => value.set("tampered", 1), () => value.delete([...value.keys()][0])];
  if (value instanceof Set) return [() => value.add("tampered")];
  if (value instanceof Uint8Array) return [() => value.fill(255)];
  if (value instanceof Float64Array) return [() => value.fill(255)];
  if (value instanceof BigInt64Array) return [() => value.fill(255n)];
  return [() => Object.assign(value, { tampered: 1 }), () => Object.assign(value, { a: "tampered" })];
}
