/**
 * One call of one state, as data: the model and the real job are given the same.
 */

import type { StateKind, StateSpec } from "./catalog.js";
import { FIELDS, KEY_DOMAINS, makeValue, NAMESPACES, pick, TEXTS } from "./domains.js";
import type { ModelField, ModelKey } from "./key-order.js";

export const VERBS = {
  value: ["set", "set", "set", "get", "delete", "update", "keys", "deleteAll"],
  list: ["add", "add", "addAll", "get", "set", "delete", "keys", "deleteAll"],
  map: ["set", "set", "set", "set", "get", "has", "delete", "clear", "isEmpty", "entries", "keys", "setAll", "drain"],
  reducing: ["add", "add", "get", "delete", "keys"],
  aggregating: ["add", "add", "get", "delete", "keys"],
  "split-list": ["add", "get", "set"],
  "union-list": ["add", "get", "set"],
  broadcast: ["set", "set", "get", "delete", "clear", "entries"],
} as const;

/** Kinds whose namespaces can be merged. */
const MERGING: readonly StateKind[] = ["list", "reducing", "aggregating"];

export type Verb = (typeof VERBS)[keyof typeof VERBS][number] | "merge";

const MERGING_VERBS: ReadonlyMap<StateKind, readonly Verb[]> = new Map(
  MERGING.map((kind) => [kind, [...VERBS[kind], "merge", "merge"]]),
);

function verbsOf({ kind, isNamespaced }: StateSpec): readonly Verb[] {
  return (isNamespaced ? MERGING_VERBS.get(kind) : undefined) ?? VERBS[kind];
}

export interface Operation {
  /** Index of the operator. */
  readonly operator: number;
  readonly spec: StateSpec;
  readonly verb: Verb;
  readonly key: ModelKey;
  /** Given to states with namespaces. */
  readonly namespace: string;
  readonly field: ModelField;
  /** Numbers that stand for values, see `makeValue`. */
  readonly values: readonly number[];
  /** Whether the form without a promise is called, where there is one. */
  readonly isSync: boolean;
  /** Whether what was given, and what was read, is changed afterwards. */
  readonly tampers: boolean;
  /** Task of an operator list. */
  readonly task: number;
}

/** An operation by numbers; which ones there are depends on what is declared when it runs. */
export interface OperationChoice {
  readonly operator: number;
  readonly state: number;
  readonly verb: number;
  readonly key: number;
  readonly namespace: number;
  readonly field: number;
  readonly values: readonly number[];
  readonly isSync: boolean;
  readonly tampers: boolean;
  readonly task: number;
}

/** The operation that `choice` stands for where `declared` are the states of each operator. */
export function resolveOperation(
  choice: OperationChoice,
  declared: readonly (readonly StateSpec[])[],
): Operation | undefined {
  const operator = choice.operator % declared.length;
  const specs = declared[operator] ?? [];
  if (specs.length === 0) return undefined;
  const spec = pick(specs, choice.state);
  return {
    operator,
    spec,
    verb: pick<Verb>(verbsOf(spec), choice.verb),
    key: pick(KEY_DOMAINS[operator] ?? [], choice.key),
    namespace: spec.isNamespaced ? pick(NAMESPACES, choice.namespace) : "",
    field: pick(FIELDS, choice.field),
    values: choice.values,
    isSync: choice.isSync,
    tampers: choice.tampers,
    task: choice.task,
  };
}

/** What the operation gives, made anew. States that fold are given texts. */
export function givenValues({ spec, values }: Operation): unknown[] {
  return values.map((choice) => valueFor(spec, choice));
}

/** The first of what the operation gives; something in any case. */
export function givenValue({ spec, values }: Operation): unknown {
  return valueFor(spec, values[0] ?? 0);
}

/** Namespaces that are merged into the operation's own; may repeat, and hold that one. */
export function mergedNamespaces({ values }: Operation): string[] {
  return values.map((choice) => pick(NAMESPACES, choice));
}

function valueFor({ kind }: StateSpec, choice: number): unknown {
  return kind === "reducing" || kind === "aggregating" ? pick(TEXTS, choice) : makeValue(choice);
}

/** What `setAll` is given: fields that may repeat. */
export function setAllEntries({ field, values }: Operation): (readonly [ModelField, unknown])[] {
  return values.map((choice, index) => [index === 0 ? field : pick(FIELDS, choice), makeValue(choice)]);
}

/** What `update` is called with: appends to lists, replaces by a list else; one in four deletes. */
export function updated(current: unknown, operation: Operation): unknown {
  if ((operation.values[0] ?? 0) % 4 === 3) return undefined;
  const value = givenValue(operation);
  return Array.isArray(current) ? [...(current as unknown[]).slice(-3), value] : [value];
}

export function showOperation({ operator, spec, verb, key, namespace, field, values, ...rest }: Operation): string {
  const where = spec.isNamespaced ? `.in(${JSON.stringify(namespace)})` : "";
  const name = JSON.stringify(spec.name.slice(0, 20));
  const how = `${rest.isSync ? "Sync" : ""}${rest.tampers ? " tampering" : ""}`;
  return `#${operator}[${name}]${where}.${verb}${how}(${shown(key)}, ${shown(field)}, [${values.join()}])`;
}

function shown(key: ModelField): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 20)) : `${key}`;
}
