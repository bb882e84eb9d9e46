/** What an operation does to what is stored for one key: the kinds of state as plain collections. */

import { type Accumulator, aggregate, reduce, type StateSpec } from "./catalog.js";
import { encodeField, type ModelField } from "./key-order.js";
import { givenValue, givenValues, type Operation, setAllEntries, updated } from "./operation.js";

/** A map, by encoded field. */
export type Fields = Map<string, readonly [ModelField, unknown]>;

export interface Changed {
  /** `undefined`: the key is absent. */
  readonly next: unknown;
  readonly result?: unknown;
}

export function change(before: unknown, operation: Operation): Changed {
  switch (operation.spec.kind) {
    case "value":
      return changeValue(before, operation);
    case "list":
      return changeList(before as unknown[] | undefined, operation);
    case "map":
      return changeMap(before as Fields | undefined, operation);
    default:
      return changeFolded(before, operation);
  }
}

function changeValue(before: unknown, operation: Operation): Changed {
  switch (operation.verb) {
    case "set":
      return { next: givenValue(operation) };
    case "delete":
      return { next: undefined };
    case "update":
      return { next: updated(before === undefined ? operation.spec.default : before, operation) };
    default:
      return { next: before, result: read(operation.spec, before) };
  }
}

function changeList(before: unknown[] | undefined, operation: Operation): Changed {
  switch (operation.verb) {
    case "add":
      return { next: [...(before ?? []), givenValue(operation)] };
    case "addAll":
      return { next: unlessEmpty([...(before ?? []), ...givenValues(operation)]) };
    case "set":
      return { next: unlessEmpty(givenValues(operation)) };
    case "delete":
      return { next: undefined };
    default:
      return { next: before, result: before ?? [] };
  }
}

export function changeMap(before: Fields | undefined, operation: Operation): Changed {
  const fields: Fields = new Map(before);
  const encoded = encodeField(operation.field);
  switch (operation.verb) {
    case "set":
      fields.set(encoded, [operation.field, givenValue(operation)]);
      break;
    case "delete":
      fields.delete(encoded);
      break;
    case "clear":
      fields.clear();
      break;
    case "setAll":
      for (const [field, given] of setAllEntries(operation)) fields.set(encodeField(field), [field, given]);
      break;
    case "drain":
      return drained(fields, operation);
    case "get":
      return { next: before, result: fields.get(encoded)?.[1] };
    case "has":
      return { next: before, result: fields.has(encoded) };
    case "isEmpty":
      return { next: before, result: fields.size === 0 };
    default:
      return { next: before, result: entriesOf(fields) };
  }
  return { next: fields.size === 0 ? undefined : fields };
}

/** Each field is deleted as it is met, and one is set behind the first: what is met is as it was at the call. */
function drained(fields: Fields, operation: Operation): Changed {
  const entries = entriesOf(fields);
  for (const [index, [field]] of entries.entries()) {
    fields.delete(encodeField(field));
    if (index === 0) fields.set(encodeField(operation.field), [operation.field, givenValue(operation)]);
  }
  return { next: fields.size === 0 ? undefined : fields, result: entries };
}

function changeFolded(before: unknown, operation: Operation): Changed {
  const { spec, verb } = operation;
  if (verb === "get") return { next: before, result: read(spec, before) };
  if (verb === "delete") return { next: undefined };
  const input = givenValue(operation) as string;
  if (spec.kind === "reducing") return { next: before === undefined ? input : reduce(before as string, input) };
  return { next: aggregate.add(input, (before as Accumulator | undefined) ?? aggregate.create()) };
}

export function read(spec: StateSpec, stored: unknown): unknown {
  if (spec.kind === "map") return entriesOf(stored as Fields | undefined);
  if (stored === undefined) return spec.kind === "list" ? [] : spec.default;
  return spec.kind === "aggregating" ? aggregate.result(stored as Accumulator) : stored;
}

/** Ascending by encoded field. */
export function entriesOf(fields: Fields | undefined): (readonly [ModelField, unknown])[] {
  return [...(fields ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function unlessEmpty(list: unknown[]): unknown[] | undefined {
  return list.length === 0 ? undefined : list;
}
