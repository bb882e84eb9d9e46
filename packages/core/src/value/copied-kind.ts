/**
 * The closed list of mutable kinds that state keeps copies of.
 *
 * Invariants:
 * - A kind is told by its prototype and proved by its internal slots; subclasses and other realms are not on the list.
 * - Every kind on the list has an encoding. @see docs/formats.md#structured-values
 */

import { types } from "node:util";

/** A kind of object that anyone who holds it can change, even when it is frozen. */
export type CopiedKind = "Date" | "Map" | "Set" | MemoryKind;

/** A kind that is nothing but memory. */
export type MemoryKind = "ArrayBuffer" | "DataView" | "Uint8Array" | ElementKind;

/** A kind of typed array other than `Uint8Array`. */
export type ElementKind =
  | "BigInt64Array"
  | "BigUint64Array"
  | "Float32Array"
  | "Float64Array"
  | "Int8Array"
  | "Int16Array"
  | "Int32Array"
  | "Uint16Array"
  | "Uint32Array"
  | "Uint8ClampedArray";

const PROTOTYPES: ReadonlyMap<object, CopiedKind> = new Map<object, CopiedKind>([
  [ArrayBuffer.prototype, "ArrayBuffer"],
  [BigInt64Array.prototype, "BigInt64Array"],
  [BigUint64Array.prototype, "BigUint64Array"],
  [Buffer.prototype, "Uint8Array"],
  [DataView.prototype, "DataView"],
  [Date.prototype, "Date"],
  [Float32Array.prototype, "Float32Array"],
  [Float64Array.prototype, "Float64Array"],
  [Int16Array.prototype, "Int16Array"],
  [Int32Array.prototype, "Int32Array"],
  [Int8Array.prototype, "Int8Array"],
  [Map.prototype, "Map"],
  [Set.prototype, "Set"],
  [Uint16Array.prototype, "Uint16Array"],
  [Uint32Array.prototype, "Uint32Array"],
  [Uint8Array.prototype, "Uint8Array"],
  [Uint8ClampedArray.prototype, "Uint8ClampedArray"],
]);

const CONSTRUCTORS: Readonly<Record<Exclude<MemoryKind, "ArrayBuffer">, new (memory: ArrayBuffer) => object>> = {
  BigInt64Array,
  BigUint64Array,
  DataView,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
};

/** The kind that a prototype belongs to. */
export function kindOfPrototype(prototype: object): CopiedKind | undefined {
  return PROTOTYPES.get(prototype);
}

/** The kind of an object that passed the check of values; undefined for plain objects and arrays. */
export function kindOf(value: object): CopiedKind | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined;
  return PROTOTYPES.get(prototype);
}

/** Whether `value` has the internals of `kind`, which a prototype alone does not give, and memory that is still there. */
export function isGenuine(value: object, kind: CopiedKind): boolean {
  switch (kind) {
    case "Date":
      return types.isDate(value);
    case "Map":
      return types.isMap(value);
    case "Set":
      return types.isSet(value);
    case "ArrayBuffer":
      return types.isArrayBuffer(value) && isAttached(value);
    case "DataView":
      return types.isDataView(value) && isAttached(value.buffer) && isInBounds(value);
    default:
      return types.isTypedArray(value) && value[Symbol.toStringTag] === kind && isAttached(value.buffer);
  }
}

/** What a value is made of, if it is memory; shared, not copied. */
export function memoryOf(value: ArrayBufferLike | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** A value of `kind` on the whole of `memory`, which it keeps. */
export function onMemory(kind: MemoryKind, memory: ArrayBuffer): object {
  if (kind === "ArrayBuffer") return memory;
  return new CONSTRUCTORS[kind](memory);
}

/** Only the memory of a detached buffer, which has length 0, cannot be looked at. */
function isAttached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return true;
  try {
    return new Uint8Array(buffer).length === 0;
  } catch {
    return false;
  }
}

/** A view past the end of a buffer that shrank has no length. */
function isInBounds(view: DataView): boolean {
  try {
    return view.byteLength >= 0;
  } catch {
    return false;
  }
}
