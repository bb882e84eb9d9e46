/**
 * The default codec: any plain data, exactly as it was.
 *
 * Invariants:
 * - MessagePack with a closed table of extension types; readable from any language.
 * - What `ownValue` accepts comes back equal, with its types, except that a `Buffer` comes back as `Uint8Array` (it is turned
 *   into one when it is stored, so a restart makes no difference). References to a shared object come back as equal objects.
 *
 * @see docs/formats.md#structured-values
 */

import type { Codec } from "../contracts/codec.js";
import { handOut, ownValue } from "./own.js";
import { readStructured } from "./structured-reader.js";
import { writeStructured } from "./structured-writer.js";

const STRUCTURED: Codec<unknown> = Object.freeze({
  id: "structured",
  version: 1,
  own: ownValue,
  handOut,
  write: writeStructured,
  read: readStructured,
} satisfies Codec<unknown>);

/**
 * Values made of null, undefined (not alone), booleans, numbers, bigints, well-formed strings, plain objects (also without
 * prototype), arrays, `Date`, `Map`, `Set`, `ArrayBuffer`, `DataView` and typed arrays, nested up to 500 deep.
 */
export function structured<T>(): Codec<T> {
  return STRUCTURED as Codec<T>;
}
