/**
 * Codecs for values of one known type, and for types of your own.
 *
 * @see docs/formats.md#codecs
 */

import { corruptBytes, type ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import { isWellFormed } from "../bytes/well-formed.js";
import type { Codec } from "../contracts/codec.js";
import { quoted, StateBackendError } from "../errors.js";
import { ownJson } from "./own.js";
import { oneNan } from "./structured-writer.js";

const FLOAT64: Codec<number> = Object.freeze({
  id: "float64",
  version: 1,
  own(value) {
    if (typeof value !== "number") throw notOfType("a number", value);
    return value;
  },
  write: (value, out) => out.float64(oneNan(value)),
  read: (input) => atEnd(input, input.float64()),
} satisfies Codec<number>);

/** Any number, in 8 bytes. */
export function float64(): Codec<number> {
  return FLOAT64;
}

const INTEGER: Codec<number> = Object.freeze({
  id: "integer",
  version: 1,
  own(value) {
    if (!Number.isSafeInteger(value)) throw notOfType("a safe integer", value);
    return value + 0;
  },
  write: writeInteger,
  read: (input) => atEnd(input, readInteger(input)),
} satisfies Codec<number>);

/** Safe integers, in 1 to 8 bytes: the closer to 0, the shorter. -0 becomes 0. */
export function integer(): Codec<number> {
  return INTEGER;
}

const TEXT: Codec<string> = Object.freeze({
  id: "text",
  version: 1,
  own(value) {
    if (typeof value !== "string") throw notOfType("a string", value);
    if (!isWellFormed(value)) throw notOfType("a string whose surrogates are all in pairs", value);
    return value;
  },
  write: (value, out) => {
    if (!(value.length <= SHORT_TEXT_MAX && out.ascii(value))) out.utf8Content(value, Buffer.byteLength(value));
  },
  read: (input) => input.utf8Content(input.remaining),
} satisfies Codec<string>);

const SHORT_TEXT_MAX = 20;

/** Well-formed strings, as UTF-8. */
export function text(): Codec<string> {
  return TEXT;
}

const BLOB: Codec<Uint8Array> = Object.freeze({
  id: "blob",
  version: 1,
  own(value) {
    if (!(value instanceof Uint8Array)) throw notOfType("a Uint8Array", value);
    return new Uint8Array(value);
  },
  write: (value, out) => out.bytes(value),
  read: (input) => input.bytes(input.remaining),
} satisfies Codec<Uint8Array>);

/** Byte strings, as they are. They are copied when stored; a `Buffer` comes back as `Uint8Array`. */
export function blob(): Codec<Uint8Array> {
  return BLOB;
}

const JSON_TEXT: Codec<unknown> = Object.freeze({
  id: "json",
  version: 1,
  own: ownJson,
  write(value, out) {
    const encoded = JSON.stringify(value);
    out.utf8Content(encoded, Buffer.byteLength(encoded));
  },
  read: readJson,
} satisfies Codec<unknown>);

/** What JSON expresses exactly: null, booleans, finite numbers, well-formed strings, and plain objects and arrays of those. */
export function json<T>(): Codec<T> {
  return JSON_TEXT as Codec<T>;
}

/** What a codec of your own consists of. */
export interface ValueEncoding<T> {
  /** Unique and stable; it stands in every manifest. */
  readonly id: string;
  /** Counts the changes of the encoding, from 1. */
  readonly version: number;
  /** The bytes of `value`; the state takes them over. Throws if the value cannot be kept exactly. */
  encode(value: T): Uint8Array;
  /** The value that `bytes` stand for, which the codec may keep. Throws if they stand for none. */
  decode(bytes: Uint8Array): T;
  /**
   * Checks a value when it is stored, and returns one that the caller cannot change.
   * @defaultValue what decoding its encoding gives: safe for any type, at the price of both
   */
  own?(value: T): T;
}

/**
 * A codec from functions of your own. What they throw becomes the cause of VALUE_INVALID or CHECKPOINT_CORRUPT.
 * Readers get the stored value itself: freeze it in `decode` (and `own`) if its type can be changed.
 */
export function codec<T>(encoding: ValueEncoding<T>): Codec<T> {
  const { id, version } = encoding;
  const own = (value: T): T => {
    if (encoding.own !== undefined) return encoding.own(value);
    return encoding.decode(new Uint8Array(encoding.encode(value)));
  };
  return Object.freeze({
    id,
    version,
    own: (value) => orInvalid(id, () => own(value)),
    write: (value, out) => out.bytes(orInvalid(id, () => encoding.encode(value))),
    read: (input) => orCorrupt(id, () => encoding.decode(input.bytes(input.remaining))),
  } satisfies Codec<T>);
}

function orInvalid<R>(id: string, action: () => R): R {
  try {
    return action();
  } catch (cause) {
    throw new StateBackendError(
      "VALUE_INVALID",
      `A codec refused a value. codec=${quoted(id)}. See the cause; store a value that the codec can keep.`,
      { cause },
    );
  }
}

function orCorrupt<R>(id: string, action: () => R): R {
  try {
    return action();
  } catch (cause) {
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `A codec refused stored bytes. codec=${quoted(id)}. See the cause; restore another checkpoint, or the codec that wrote them.`,
      { cause },
    );
  }
}

/** Zigzag (0, -1, 1, -2, …) as LEB128. Done in two parts, because the whole may take 54 bits. */
function writeInteger(value: number, out: ByteWriter): void {
  const isNegative = value < 0;
  const distance = isNegative ? -1 - value : value;
  const first = (distance % 64) * 2 + (isNegative ? 1 : 0);
  const rest = Math.floor(distance / 64);
  if (rest === 0) {
    out.uint8(first);
    return;
  }
  out.uint8(first | 0x80);
  out.varint(rest);
}

function readInteger(input: ByteReader): number {
  const first = input.uint8();
  const isNegative = (first & 1) === 1;
  let distance = (first & 0x7f) >>> 1;
  if (first >= 0x80) {
    const rest = input.varint();
    if (rest === 0) throw corruptBytes("an integer has needless bytes", `position=${input.position}`);
    distance += rest * 64;
  }
  const value = isNegative ? -1 - distance : distance;
  if (!Number.isSafeInteger(value)) throw corruptBytes("an integer is not safe", `position=${input.position}`);
  return value;
}

function readJson(input: ByteReader): unknown {
  const encoded = input.utf8Content(input.remaining);
  try {
    return ownJson(JSON.parse(encoded));
  } catch (cause) {
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `Stored bytes are not JSON that was stored. length=${encoded.length}. Restore another checkpoint.`,
      { cause },
    );
  }
}

function atEnd<T>(input: ByteReader, value: T): T {
  if (input.remaining === 0) return value;
  throw corruptBytes("bytes follow the value", `remaining=${input.remaining}`);
}

function notOfType(expected: string, received: unknown): StateBackendError {
  const shown =
    typeof received === "number" || typeof received === "string" ? quoted(String(received)) : typeof received;
  return new StateBackendError(
    "VALUE_INVALID",
    `A value is not ${expected}. received=${shown}. Store such a value, or declare another codec.`,
  );
}
