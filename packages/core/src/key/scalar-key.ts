/**
 * Keys of mixed types, the default for namespaces and fields.
 *
 * Invariants:
 * - A tag byte, then the encoding of that type; false < true < numbers < bigints < strings < bytes < arrays.
 * - An array is its elements and a closing 00, which no element begins with: arrays sort by element, shorter first.
 * - An identity that is a string is the key itself unless it begins with U+0001 to U+000F: those are encodings.
 *
 * @see docs/formats.md#keys
 */

import { corruptBytes } from "../bytes/byte-reader.js";
import type { DecodedKey, KeyCodec, KeyIdentity } from "../contracts/codec.js";
import { StateBackendError } from "../errors.js";
import { checkedBigint, decodeBigint, encodeBigint } from "./bigint-key.js";
import type { BinaryKey } from "./binary-key.js";
import { decodeBytes, encodeBytes } from "./bytes-key.js";
import { invalidKey } from "./invalid-key.js";
import { murmur3OfKey } from "./murmur3.js";
import { checkedNumber, decodeNumber, encodeNumber } from "./number-key.js";
import { checkedString, decodeString, encodeString } from "./string-key.js";

/** What `scalar()` keeps. */
export type ScalarKey = string | number | bigint | boolean | Uint8Array | readonly ScalarKey[];

const END = 0x00;
const FALSE = 0x01;
const TRUE = 0x02;
const NUMBER = 0x03;
const BIGINT = 0x04;
const STRING = 0x05;
const BYTES = 0x06;
const ARRAY = 0x07;
/** Tags 08 to 0F are reserved: the rule for identities covers them already. */
const TAG_MAX = 0x0f;

/** How deep arrays may nest. */
const DEPTH_MAX = 64;

const SCALAR: KeyCodec<ScalarKey> = Object.freeze({
  id: "scalar",
  version: 1,
  encode: (key) => encodeScalar(key, 0),
  decode: (source, offset) => decodeScalar(source, offset, 0),
  identity: identityOf,
  hash: (key) => murmur3OfKey(encodeScalar(key, 0)),
  fromIdentity,
} satisfies KeyCodec<ScalarKey>);

/** Keys that are strings, numbers, bigints, booleans, byte strings, or arrays of those, nested up to 64 deep. */
export function scalar(): KeyCodec<ScalarKey> {
  return SCALAR;
}

function encodeScalar(key: ScalarKey, depth: number): BinaryKey {
  switch (typeof key) {
    case "string":
      return tagged(STRING, encodeString(key));
    case "number":
      return tagged(NUMBER, encodeNumber(key));
    case "bigint":
      return tagged(BIGINT, encodeBigint(key));
    case "boolean":
      return tagged(key ? TRUE : FALSE, "");
    default:
      if (key instanceof Uint8Array) return tagged(BYTES, encodeBytes(key));
      if (Array.isArray(key)) return encodeArray(key as readonly ScalarKey[], depth);
      throw invalidKey("a string, number, bigint, boolean, Uint8Array, or array of those", key);
  }
}

function encodeArray(key: readonly ScalarKey[], depth: number): BinaryKey {
  if (depth === DEPTH_MAX) {
    throw new StateBackendError(
      "VALUE_INVALID",
      `A key nests too deep or in a cycle. depthMax=${DEPTH_MAX}. Use a flatter key.`,
    );
  }
  let content = "";
  // By index, so that holes are seen.
  for (let index = 0; index < key.length; index++) content += encodeScalar(key[index] as ScalarKey, depth + 1);
  return tagged(ARRAY, content + String.fromCharCode(END));
}

function decodeScalar(source: BinaryKey, offset: number, depth: number): DecodedKey<ScalarKey> {
  const start = offset + 1;
  switch (source.charCodeAt(offset)) {
    case FALSE:
      return { key: false, end: start };
    case TRUE:
      return { key: true, end: start };
    case NUMBER:
      return decodeNumber(source, start);
    case BIGINT:
      return decodeBigint(source, start);
    case STRING:
      return decodeString(source, start);
    case BYTES:
      return decodeBytes(source, start);
    case ARRAY:
      return decodeArray(source, start, depth);
    default:
      throw corruptBytes("a scalar key has an unknown tag", `offset=${offset} length=${source.length}`);
  }
}

function decodeArray(source: BinaryKey, start: number, depth: number): DecodedKey<readonly ScalarKey[]> {
  if (depth === DEPTH_MAX) throw corruptBytes("a scalar key nests too deep", `offset=${start} depthMax=${DEPTH_MAX}`);
  const key: ScalarKey[] = [];
  let end = start;
  while (source.charCodeAt(end) !== END) {
    const element = decodeScalar(source, end, depth + 1);
    key.push(element.key);
    end = element.end;
  }
  return { key, end: end + 1 };
}

function identityOf(key: ScalarKey): KeyIdentity {
  switch (typeof key) {
    case "string":
      return isLikeEncoding(key) ? encodeScalar(key, 0) : checkedString(key);
    case "number":
      return checkedNumber(key);
    case "bigint":
      return checkedBigint(key);
    default:
      return encodeScalar(key, 0);
  }
}

function fromIdentity(identity: KeyIdentity): ScalarKey {
  if (typeof identity !== "string" || !isLikeEncoding(identity)) return identity;
  return decodeScalar(identity as BinaryKey, 0, 0).key;
}

function isLikeEncoding(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= FALSE && code <= TAG_MAX;
}

function tagged(tag: number, content: string): BinaryKey {
  return (String.fromCharCode(tag) + content) as BinaryKey;
}
