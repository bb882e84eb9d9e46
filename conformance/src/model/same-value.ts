/**
 * Equality in the sense of the contract, without texts where it is easily seen: millions of results are compared.
 *
 * Invariants:
 * - What is "surely the same" has the same canonical text; of anything else the texts decide.
 */

import { canonical } from "./canonical.js";

/** Whether both have the same canonical text. */
export function isSame(a: unknown, b: unknown): boolean {
  return isSurelySame(a, b) || canonical(a) === canonical(b);
}

/** The usual cases; `false` says nothing. */
export function isSurelySame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a !== a && b !== b;
  if (Array.isArray(a)) return Array.isArray(b) && areSameItems(a, b);
  if (a instanceof Map) return b instanceof Map && a.size === b.size && areSameItems([...a].flat(), [...b].flat());
  if (a instanceof Set) return b instanceof Set && a.size === b.size && areSameItems([...a], [...b]);
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && a.constructor === b.constructor && areSameBytes(a, b);
  return isPlain(a) && isPlain(b) && areSameMembers(a, b);
}

function areSameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    // A hole is not undefined, and looks the same from here.
    if (a[index] === undefined || !isSurelySame(a[index], b[index])) return false;
  }
  return true;
}

function areSameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** Members in the same order: usual, since one is a copy of the other. */
function areSameMembers(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a);
  const others = Object.keys(b);
  if (names.length !== others.length) return false;
  return names.every((name, index) => name === others[index] && isSurelySame(a[name], b[name]));
}
