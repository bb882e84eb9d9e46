/**
 * The MessagePack extension types of structured values: a closed table, never renumbered.
 *
 * @see docs/formats.md#structured-values
 */

import type { MemoryKind } from "./copied-kind.js";

/** Nothing. */
export const UNDEFINED = 1;
/** Two's complement, big-endian, in the fewest bytes, at least one. */
export const BIGINT = 2;
/** Milliseconds since 1970-01-01T00:00:00Z as float64; NaN for an invalid date. */
export const DATE = 3;
/** A MessagePack array of keys and values in turn, in insertion order. */
export const MAP = 4;
/** A MessagePack array, in insertion order. */
export const SET = 5;
/** A MessagePack map: an object whose prototype is null. */
export const BARE_OBJECT = 6;

/** Kinds that are memory: their bytes as they are, or elements in little-endian order. `Uint8Array` is MessagePack's bin. */
export interface MemoryExtension {
  readonly code: number;
  readonly kind: Exclude<MemoryKind, "Uint8Array">;
  readonly elementBytes: 1 | 2 | 4 | 8;
}

const MEMORY_EXTENSIONS: readonly MemoryExtension[] = [
  { code: 7, kind: "ArrayBuffer", elementBytes: 1 },
  { code: 8, kind: "DataView", elementBytes: 1 },
  { code: 16, kind: "Int8Array", elementBytes: 1 },
  { code: 17, kind: "Uint8ClampedArray", elementBytes: 1 },
  { code: 18, kind: "Int16Array", elementBytes: 2 },
  { code: 19, kind: "Uint16Array", elementBytes: 2 },
  { code: 20, kind: "Int32Array", elementBytes: 4 },
  { code: 21, kind: "Uint32Array", elementBytes: 4 },
  { code: 22, kind: "Float32Array", elementBytes: 4 },
  { code: 23, kind: "Float64Array", elementBytes: 8 },
  { code: 24, kind: "BigInt64Array", elementBytes: 8 },
  { code: 25, kind: "BigUint64Array", elementBytes: 8 },
];

/** By code. */
export const MEMORY_BY_CODE: ReadonlyMap<number, MemoryExtension> = new Map(
  MEMORY_EXTENSIONS.map((extension) => [extension.code, extension]),
);

/** By kind. */
export const MEMORY_BY_KIND: ReadonlyMap<MemoryKind, MemoryExtension> = new Map(
  MEMORY_EXTENSIONS.map((extension) => [extension.kind, extension]),
);

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** `memory` between the order of this machine and little-endian: `memory` itself, or a copy with elements reversed. */
export function littleEndian(memory: Uint8Array, elementBytes: number): Uint8Array {
  return IS_LITTLE_ENDIAN || elementBytes === 1 ? memory : reversedElements(memory, elementBytes);
}

/** A copy of `memory` with the bytes of each element in reverse. */
export function reversedElements(memory: Uint8Array, elementBytes: number): Uint8Array {
  const reversed = new Uint8Array(memory);
  for (let at = 0; at < reversed.length; at += elementBytes) reversed.subarray(at, at + elementBytes).reverse();
  return reversed;
}
