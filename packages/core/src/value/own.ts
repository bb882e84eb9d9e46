/**
 * Taking values into the ownership of a state, and handing them out.
 *
 * Invariants:
 * - A value is checked as a whole before anything is frozen or copied; a refused value is left as it was.
 * - Plain objects and arrays are frozen in place. `Date`, `Map`, `Set`, `ArrayBuffer`, `DataView` and typed arrays, which no
 *   freezing protects, are copied, and so is every container on the way to one. A `Buffer` becomes a `Uint8Array`.
 * - After that nothing the caller holds can change the value.
 * - Values are handed out by reference where that is safe. A reader could change the members that had to be copied, so
 *   `handOut` copies those again; which containers hold such members is kept in a `WeakSet`. That costs the common value,
 *   which is plain, one failed lookup, and no wrapper, flag or extra field per value.
 */

import { checkValue, FLAT, MUTABLE } from "./check-value.js";
import { kindOf, memoryOf, onMemory } from "./copied-kind.js";

/** Frozen containers with a member, at any depth, of a copied kind. */
const holdingMutable = new WeakSet<object>();

/**
 * Takes ownership of `value`: checks that it can be stored exactly, and returns a value that the caller cannot change.
 * Cost: a few ns for a primitive, linear in the number of members else.
 * @throws {StateBackendError} VALUE_INVALID with the path of the first member that cannot be stored exactly
 */
export function ownValue(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "boolean") return value;
  const shape = checkValue(value, "structured");
  if (typeof value !== "object" || value === null) return value;
  if (shape === MUTABLE) return detached(value);
  return shape === FLAT ? Object.freeze(value) : freezeDeep(value);
}

/**
 * Takes ownership of `value` as `ownValue` does, but allows only what JSON expresses exactly.
 * @throws {StateBackendError} VALUE_INVALID with the path of the first member that it does not
 */
export function ownJson(value: unknown): unknown {
  const shape = checkValue(value, "json");
  if (typeof value !== "object" || value === null) return value;
  return shape === FLAT ? Object.freeze(value) : freezeDeep(value);
}

/**
 * What a reader may get of an owned `value`: the value itself, or a copy of the parts that it could change otherwise.
 * Cost: constant unless the value holds an object of a copied kind.
 */
export function handOut<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (holdingMutable.has(value) || kindOf(value) !== undefined) return detached(value) as T;
  return value;
}

/** Notes that the frozen `container` holds a member, at any depth, of a copied kind. */
export function markHoldingMutable(container: object): void {
  holdingMutable.add(container);
}

/** Freezes a checked tree of plain objects and arrays. */
function freezeDeep(value: object): object {
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) {
    if (typeof member === "object" && member !== null) freezeDeep(member);
  }
  return Object.freeze(value);
}

/** A checked value with copies in the place of all members of copied kinds; the rest is frozen in place and shared. */
function detached(value: object): object {
  const kind = kindOf(value);
  switch (kind) {
    case undefined:
      return Array.isArray(value) ? detachedArray(value) : detachedObject(value as Record<string, unknown>);
    case "Date":
      return new Date((value as Date).getTime());
    case "Map":
      return detachedMap(value as ReadonlyMap<unknown, unknown>);
    case "Set":
      return detachedSet(value as ReadonlySet<unknown>);
    default:
      return onMemory(kind, new Uint8Array(memoryOf(value as ArrayBuffer | ArrayBufferView)).buffer);
  }
}

function detachedMember(member: unknown): unknown {
  return typeof member === "object" && member !== null ? detached(member) : member;
}

function detachedArray(value: readonly unknown[]): object {
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const member = value[index];
    const own = detachedMember(member);
    if (own === member || typeof own !== "object") continue;
    copy ??= value.slice();
    copy[index] = own;
  }
  return frozen(copy, value);
}

function detachedObject(value: Record<string, unknown>): object {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const member = value[name];
    const own = detachedMember(member);
    if (own === member || typeof own !== "object") continue;
    copy ??= shallowCopy(value);
    copy[name] = own;
  }
  return frozen(copy, value);
}

function shallowCopy(value: Record<string, unknown>): Record<string, unknown> {
  if (Object.getPrototypeOf(value) !== null) return { ...value };
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** The copy, if there had to be one, else the original. */
function frozen(copy: object | undefined, original: object): object {
  if (copy === undefined) return Object.freeze(original);
  holdingMutable.add(copy);
  return Object.freeze(copy);
}

function detachedMap(value: ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
  const copy = new Map<unknown, unknown>();
  for (const [key, member] of value) copy.set(detachedMember(key), detachedMember(member));
  return copy;
}

function detachedSet(value: ReadonlySet<unknown>): Set<unknown> {
  const copy = new Set<unknown>();
  for (const member of value) copy.add(detachedMember(member));
  return copy;
}
