/**
 * Text as keys: UTF-8, terminated.
 *
 * Invariants:
 * - Byte order is code-point order, which differs from JavaScript's `<` above U+FFFF only.
 * - Text is never normalised: forms that merely look alike are different keys.
 */

import { isUtf8 } from "node:buffer";
import { corruptBytes } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import { isWellFormed } from "../bytes/well-formed.js";
import type { DecodedKey, KeyCodec } from "../contracts/codec.js";
import { quoted, StateBackendError } from "../errors.js";
import { type BinaryKey, bytesOfKey, keyOfBytes } from "./binary-key.js";
import { invalidKey } from "./invalid-key.js";
import { murmur3OfKey, murmur3OfTerminated, NOT_PLAIN_ASCII } from "./murmur3.js";
import { readTerminated, TERMINATOR, terminate } from "./terminated.js";

/** Up to here a loop over the characters beats native code. */
const LOOP_LENGTH_MAX = 32;
const NOT_ASCII = /[\u0080-\uFFFF]/;

const STRING: KeyCodec<string> = Object.freeze({
  id: "string",
  version: 1,
  encode: encodeString,
  write: writeString,
  decode: decodeString,
  identity: checkedString,
  isOwnIdentity: true,
  hash: hashString,
  sortKey: (identity) => inCodePointOrder(identity as string),
  fromIdentity: (identity) => identity as string,
} satisfies KeyCodec<string>);

/** Keys that are well-formed strings of any length, ordered by code point. */
export function string(): KeyCodec<string> {
  return STRING;
}

/** `key` as terminated UTF-8. */
export function encodeString(key: string): BinaryKey {
  // What is ASCII without U+0000 is well-formed, and nothing of it has to be escaped.
  if (typeof key === "string" && isPlainAscii(key)) return (key + TERMINATOR) as BinaryKey;
  checkedString(key);
  return terminate(isAscii(key) ? key : keyOfBytes(Buffer.from(key, "utf8")));
}

function writeString(key: string, out: ByteWriter): void {
  const isPlain = typeof key === "string" && key.length <= LOOP_LENGTH_MAX && !key.includes("\u0000") && out.ascii(key);
  if (isPlain) out.latin1(TERMINATOR);
  else out.latin1(encodeString(key));
}

/** The text that begins at `offset`. */
export function decodeString(source: BinaryKey, offset: number): DecodedKey<string> {
  const { content, end } = readTerminated(source, offset);
  if (isAscii(content)) return { key: content, end };
  const bytes = bytesOfKey(content as BinaryKey);
  if (!isUtf8(bytes)) throw corruptBytes("a string key is not UTF-8", `offset=${offset} length=${bytes.length}`);
  return { key: bytes.toString("utf8"), end };
}

function hashString(key: string): number {
  if (typeof key === "string") {
    const hash = murmur3OfTerminated(key);
    if (hash !== NOT_PLAIN_ASCII) return hash;
  }
  return murmur3OfKey(encodeString(key));
}

/** `key` itself, if it is text that can be kept. */
export function checkedString(key: string): string {
  if (typeof key !== "string") throw invalidKey("a string", key);
  if (isWellFormed(key)) return key;
  throw new StateBackendError(
    "VALUE_INVALID",
    `A string key has a surrogate without its pair, which UTF-8 cannot express. key=${quoted(key)} length=${key.length}. ` +
      "Use well-formed text (see String.prototype.toWellFormed), or bytes() for raw data.",
  );
}

/** Code units from which on the order of UTF-16 is not that of code points. */
const SURROGATES_AND_ABOVE = /[\uD800-\uFFFF]/;

/** `text`, or another text that sorts by code unit as `text` does by code point: surrogates move above all other units. */
function inCodePointOrder(text: string): string {
  if (!SURROGATES_AND_ABOVE.test(text)) return text;
  let moved = "";
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    moved += String.fromCharCode(unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
  }
  return moved;
}

function isPlainAscii(text: string): boolean {
  if (text.length > LOOP_LENGTH_MAX) return isAscii(text) && !text.includes("\u0000");
  let seen = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    seen |= code | (code - 1);
  }
  return (seen & ~0x7f) === 0;
}

function isAscii(text: string): boolean {
  if (text.length > LOOP_LENGTH_MAX) return !NOT_ASCII.test(text);
  let seen = 0;
  for (let index = 0; index < text.length; index++) seen |= text.charCodeAt(index);
  return seen < 0x80;
}
