/** Byte strings as keys: the bytes, terminated, in unsigned byte order. */

import type { DecodedKey, KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, bytesOfKey, keyOfBytes } from "./binary-key.js";
import { invalidKey } from "./invalid-key.js";
import { keyCodec } from "./key-codec.js";
import { readTerminated, terminate } from "./terminated.js";

const BYTES: KeyCodec<Uint8Array> = keyCodec({ id: "bytes", version: 1, encode: encodeBytes, decode: decodeBytes });

/** Keys that are byte strings of any length. The caller may reuse a key after the call; a `Buffer` comes back as `Uint8Array`. */
export function bytes(): KeyCodec<Uint8Array> {
  return BYTES;
}

/** The terminated bytes of `key`. */
export function encodeBytes(key: Uint8Array): BinaryKey {
  if (!(key instanceof Uint8Array)) throw invalidKey("a Uint8Array", key);
  return terminate(keyOfBytes(key));
}

/** The bytes that begin at `offset`, in memory of their own. */
export function decodeBytes(source: BinaryKey, offset: number): DecodedKey<Uint8Array> {
  const { content, end } = readTerminated(source, offset);
  return { key: new Uint8Array(bytesOfKey(content as BinaryKey)), end };
}
