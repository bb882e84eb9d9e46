/**
 * The rule for what can be stored exactly.
 *
 * Invariants:
 * - A check runs no code of the value's and changes nothing.
 * - It ends: depth and the number of members are bounded, so cycles and shared references cannot trap it.
 *
 * Best effort, because a full look costs more than it finds: accessors among the elements of an array are looked for in the
 * first 32; properties of an array that are not enumerable, and named properties of typed arrays, not at all.
 */

import { types } from "node:util";
import { isWellFormed } from "../bytes/well-formed.js";
import { StateBackendError } from "../errors.js";
import { type CopiedKind, isGenuine, kindOfPrototype } from "./copied-kind.js";
import { nameSegment, placeInValue } from "./value-path.js";

/** Containers may nest this deep. */
export const DEPTH_MAX = 500;
/** What one value may consist of; V8's own bound on a `Map`. */
const MEMBER_COUNT_MAX = 2 ** 24;
const ACCESSOR_SEARCH_MAX = 32;

/** What a value turned out to be. A container takes the highest of its members', and at least NESTED if one is an object. */
export const FLAT = 0;
export const NESTED = 1;
/** It is or holds an object of a copied kind. */
export const MUTABLE = 2;
export type Shape = typeof FLAT | typeof NESTED | typeof MUTABLE;

/** What is allowed beyond plain objects, arrays, strings, booleans, null and finite numbers. */
export type Rules = "json" | "structured";

/** Why a value is refused, and where, from the inside out. */
class Refusal {
  readonly path: string[] = [];
  /** The containers around the place, from the inside out. */
  readonly containers: object[] = [];

  constructor(
    readonly reason: string,
    readonly isDepth = false,
  ) {}
}

/** Members that the running check may still visit. Checks never interleave. */
let membersLeft = 0;

/**
 * Checks that `value` can be stored exactly, and says what it is.
 * @throws {StateBackendError} VALUE_INVALID with the path of the first member that cannot
 */
export function checkValue(value: unknown, rules: Rules): Shape {
  membersLeft = MEMBER_COUNT_MAX;
  const found = value === undefined ? new Refusal("undefined stands for no value") : check(value, rules, 0);
  if (typeof found === "object") throw invalidValue(found);
  return found;
}

type Found = Shape | Refusal;

function check(value: unknown, rules: Rules, depth: number): Found {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? FLAT : new Refusal("a string with a surrogate that lacks its pair");
    case "number":
      if (rules === "json" && !Number.isFinite(value)) return new Refusal(`${value}, which JSON cannot express`);
      return FLAT;
    case "boolean":
      return FLAT;
    case "undefined":
    case "bigint":
      return rules === "json" ? new Refusal(`${typeof value}, which JSON cannot express`) : FLAT;
    case "object":
      return value === null ? FLAT : checkContainer(value, rules, depth);
    case "function":
    case "symbol":
      return new Refusal(`a ${typeof value}`);
  }
}

function checkContainer(value: object, rules: Rules, depth: number): Found {
  // A proxy (a draft, a reactive object) can answer otherwise later, or not at all.
  if (types.isProxy(value)) return new Refusal("a Proxy");
  if (depth === DEPTH_MAX) return new Refusal(`it nests more than ${DEPTH_MAX} deep`, true);
  const found = checkMembers(value, rules, depth + 1);
  if (typeof found === "object") found.containers.push(value);
  return found;
}

function checkMembers(value: object, rules: Rules, depth: number): Found {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return checkObject(value, rules, depth);
  if (prototype === Array.prototype && Array.isArray(value)) return checkArray(value, rules, depth);
  if (prototype === null && rules !== "json") return checkObject(value, rules, depth);
  const kind = prototype === null ? undefined : kindOfPrototype(prototype);
  if (kind === undefined || rules === "json") return new Refusal(`an instance of ${classNameOf(prototype)}`);
  if (!isGenuine(value, kind)) return new Refusal(`a ${kind} in name only, or without its memory`);
  return checkCopied(value, kind, depth);
}

function checkObject(value: object, rules: Rules, depth: number): Found {
  const names = Object.getOwnPropertyNames(value);
  if ((membersLeft -= names.length) < 0) return tooMany();
  if (Object.getOwnPropertySymbols(value).length > 0) return new Refusal("an object with a symbol as key");
  let shape: Shape = FLAT;
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
    const member: unknown = property.value;
    const found = refusalOfProperty(name, property) ?? check(member, rules, depth);
    if (typeof found === "object") return inside(found, nameSegment(name));
    shape = enclosing(shape, found, member);
  }
  return shape;
}

function refusalOfProperty(name: string, property: PropertyDescriptor): Refusal | undefined {
  if (property.get !== undefined || property.set !== undefined) return new Refusal("an accessor property");
  if (property.enumerable !== true) return new Refusal("a property that is not enumerable");
  if (name === "__proto__") return new Refusal("a property named __proto__");
  if (!isWellFormed(name)) return new Refusal("a key with a surrogate that lacks its pair");
  return undefined;
}

function checkArray(value: readonly unknown[], rules: Rules, depth: number): Found {
  const { length } = value;
  if ((membersLeft -= length) < 0) return tooMany();
  if (Object.getOwnPropertySymbols(value).length > 0) return new Refusal("an array with a symbol as key");
  const nameCount = Object.keys(value).length;
  if (nameCount < length) return new Refusal("a sparse array");
  let shape: Shape = FLAT;
  for (let index = 0; index < length; index++) {
    // First, so that no accessor runs.
    const refusal = index < ACCESSOR_SEARCH_MAX ? refusalOfGetter(value, index) : undefined;
    const member = refusal === undefined ? value[index] : undefined;
    const found = refusal ?? (member === undefined ? checkUndefined(value, index, rules) : check(member, rules, depth));
    if (typeof found === "object") return inside(found, `[${index}]`);
    shape = enclosing(shape, found, member);
  }
  // There are no holes, so what is left over has a name.
  return nameCount > length ? new Refusal("an array with named properties") : shape;
}

/** Annex B, but three times as fast as a descriptor. */
const { __lookupGetter__: lookupGetter } = Object.prototype as unknown as {
  __lookupGetter__: (this: object, name: number) => unknown;
};

function refusalOfGetter(value: readonly unknown[], index: number): Refusal | undefined {
  return lookupGetter.call(value, index) === undefined ? undefined : new Refusal("an accessor property");
}

/** An element that reads as undefined may be a hole or have only a setter. */
function checkUndefined(value: readonly unknown[], index: number, rules: Rules): Found {
  const property = Object.getOwnPropertyDescriptor(value, index);
  if (property === undefined) return new Refusal("a hole in an array");
  if (property.set !== undefined) return new Refusal("an accessor property");
  return check(undefined, rules, 0);
}

function checkCopied(value: object, kind: CopiedKind, depth: number): Found {
  switch (kind) {
    case "Map":
      return refusalOfExtras(value) ?? checkMap(value as ReadonlyMap<unknown, unknown>, depth);
    case "Set":
      return refusalOfExtras(value) ?? checkSet(value as ReadonlySet<unknown>, depth);
    case "ArrayBuffer":
    case "DataView":
    case "Date":
      return refusalOfExtras(value) ?? MUTABLE;
    default:
      // The names of a typed array include every index.
      return MUTABLE;
  }
}

function refusalOfExtras(value: object): Refusal | undefined {
  if (Reflect.ownKeys(value).length === 0) return undefined;
  return new Refusal(
    `an instance of ${classNameOf(Object.getPrototypeOf(value) as object)} with properties of its own`,
  );
}

function checkMap(value: ReadonlyMap<unknown, unknown>, depth: number): Found {
  if ((membersLeft -= 2 * value.size) < 0) return tooMany();
  let index = 0;
  for (const [key, member] of value) {
    const foundKey = check(key, "structured", depth);
    if (typeof foundKey === "object") return inside(foundKey, `.keys()[${index}]`);
    const found = check(member, "structured", depth);
    if (typeof found === "object") return inside(found, `.values()[${index}]`);
    index++;
  }
  return MUTABLE;
}

function checkSet(value: ReadonlySet<unknown>, depth: number): Found {
  if ((membersLeft -= value.size) < 0) return tooMany();
  let index = 0;
  for (const member of value) {
    const found = check(member, "structured", depth);
    if (typeof found === "object") return inside(found, `.values()[${index}]`);
    index++;
  }
  return MUTABLE;
}

function enclosing(shape: Shape, found: Shape, member: unknown): Shape {
  if (found > shape) return found;
  return shape === FLAT && typeof member === "object" && member !== null ? NESTED : shape;
}

function inside(refusal: Refusal, segment: string): Refusal {
  refusal.path.push(segment);
  return refusal;
}

function tooMany(): Refusal {
  return new Refusal(`more than ${MEMBER_COUNT_MAX} members, or as many references to shared ones`);
}

function classNameOf(prototype: object | null): string {
  if (prototype === null) return "a class without a prototype";
  const property = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value as unknown;
  const name = typeof property === "function" ? property.name : "";
  return name === "" ? "an unnamed class" : name.slice(0, 60);
}

function invalidValue(refusal: Refusal): StateBackendError {
  const path = refusal.path.toReversed();
  const loop = refusal.isDepth ? loopOf(refusal.containers.toReversed()) : undefined;
  const reason = loop === undefined ? refusal.reason : "a reference back to something that encloses it";
  const at = placeInValue(path.slice(0, loop));
  return new StateBackendError(
    "VALUE_INVALID",
    `A value cannot be stored exactly: ${reason}. at=${at}. Store plain data, or declare a codec for this type.`,
  );
}

/** How many steps from the root lead to the first container that encloses itself. */
function loopOf(containers: readonly object[]): number | undefined {
  const seen = new Set<object>();
  for (const [index, container] of containers.entries()) {
    if (seen.has(container)) return index;
    seen.add(container);
  }
  return undefined;
}
