/**
 * Entries as a database gives them: as text, which it does three times as fast as bytes.
 *
 * Invariants:
 * - What fails its checksum is not handed out.
 *
 * @see docs/formats.md#leveldb
 */

import { crc32 } from "node:zlib";
import type { BinaryKey, StoreEntry } from "@tidemark/core";
import { NOTHING, registerOfBytes, registerOfText, SEAL_LENGTH } from "./seal.js";

/**
 * The character behind a value tells how it stands: `t` as it is, being ASCII; `h` as ASCII, with the places of bytes above 127 behind it; `b` as Base64.
 */
export const AS_IT_IS = 0x74;
export const HIGH_APART = 0x68;
export const AS_BASE64 = 0x62;
/** Each place is a number of bytes to skip; this many, and the next one follows. */
export const FURTHER = 127;
/** Behind the places stands how many characters they are. */
export const PLACES_COUNT_LENGTH = 2;
/** That character and the seal. */
export const TAIL_LENGTH = 1 + SEAL_LENGTH;

/** No byte: damage. Of text that has one byte per character the engine knows it without a look. */
const NO_BYTE = /[\u0100-\uffff]/;
/** So much text is checked at once: more of it would take memory of its own, which the system fills with zeros each time. */
const CHECKED_LENGTH = 32 * 1024;
const scratch = Buffer.allocUnsafeSlow(2 * CHECKED_LENGTH);

/** The value in `text`, which is stored under a key, given by the caller, that comes to `keyRegister`; `undefined` if it is not what was stored there. */
export function openedValue(keyRegister: number, text: string): Buffer | undefined {
  const length = lengthIn(text);
  if (length < 0 || NO_BYTE.test(text)) return undefined;
  const bytes = bytesOf(text, length);
  return registerOfText(registerOfBytes(keyRegister, bytes), text, length) === NOTHING
    ? decoded(text, bytes)
    : undefined;
}

/** The length of the value in `text` as it stands, without places; not a length of one if it is damaged. */
function lengthIn(text: string): number {
  const end = text.length - TAIL_LENGTH;
  if (text.charCodeAt(end) !== HIGH_APART) return end;
  const placesEnd = end - PLACES_COUNT_LENGTH;
  return placesEnd - ((text.charCodeAt(placesEnd) << 7) | text.charCodeAt(placesEnd + 1));
}

function bytesOf(text: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  bytes.write(text, 0, length, "latin1");
  return bytes;
}

/** The value in `text`, which stands in `bytes` but for its high bits, or as Base64. */
function decoded(text: string, bytes: Buffer): Buffer {
  const end = text.length - TAIL_LENGTH;
  const form = text.charCodeAt(end);
  if (form === AS_BASE64) return Buffer.from(text.slice(0, end), "base64");
  if (form !== HIGH_APART) return bytes;
  let at = 0;
  for (let place = bytes.length; place < end - PLACES_COUNT_LENGTH; place++) {
    const skipped = text.charCodeAt(place);
    at += skipped;
    if (skipped === FURTHER) continue;
    bytes[at] = (bytes[at] as number) | 0x80;
    at++;
  }
  return bytes;
}

/** The entries in `rows` of stored keys and texts, without what their keys begin with; `undefined` if one of them is damaged. */
export function openedEntries(
  rows: readonly (readonly [string, string])[],
  prefixLength: number,
): readonly StoreEntry[] | undefined {
  let text = "";
  for (const row of rows) {
    text += row[0] + row[1];
    if (text.length < CHECKED_LENGTH) continue;
    if (!areWhole(text)) return undefined;
    text = "";
  }
  if (!areWhole(text)) return undefined;
  return rows.map(([key, stored]) => new OpenedEntry(key.slice(prefixLength) as BinaryKey, stored));
}

/** Whether `text` is entries as they were stored, one behind the other. */
function areWhole(text: string): boolean {
  if (NO_BYTE.test(text)) return false;
  const bytes = text.length > scratch.length ? Buffer.allocUnsafe(text.length) : scratch;
  return crc32(bytes.subarray(0, bytes.write(text, "latin1"))) === 0;
}

/** Many are read for their keys alone, so each reading of a value makes it anew. */
class OpenedEntry implements StoreEntry {
  readonly key: BinaryKey;
  readonly #text: string;

  constructor(key: BinaryKey, text: string) {
    this.key = key;
    this.#text = text;
  }

  get value(): Buffer {
    return decoded(this.#text, bytesOf(this.#text, lengthIn(this.#text)));
  }
}
