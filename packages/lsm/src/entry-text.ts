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

/** The value in `text`, which is stored under a key, given by the caller, that comes to `keyRegister`; `undefined` if it is not what was stored there. */
export function openedValue(keyRegister: number, text: string): Buffer | undefined {
  const end = text.length - TAIL_LENGTH;
  if (end < 0 || NO_BYTE.test(text)) return undefined;
  const bytes = Buffer.allocUnsafe(end);
  bytes.write(text, 0, end, "latin1");
  if (registerOfText(registerOfBytes(keyRegister, bytes), text, end) !== NOTHING) return undefined;
  return valueIn(bytes, 0, end, text.charCodeAt(end));
}

/** The value that stands in `bytes` from `start` to `end`, in the form that `form` names. Shares its memory with `bytes`, if it can. */
function valueIn(bytes: Buffer, start: number, end: number, form: number | undefined): Buffer {
  if (form === AS_IT_IS) return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  if (form === AS_BASE64) return Buffer.from(bytes.toString("latin1", start, end), "base64");
  const placesEnd = end - PLACES_COUNT_LENGTH;
  const valueEnd = placesEnd - (((bytes[placesEnd] as number) << 7) | (bytes[placesEnd + 1] as number));
  for (let at = start, place = valueEnd; place < placesEnd; place++) {
    const skipped = bytes[place] as number;
    at += skipped;
    if (skipped === FURTHER) continue;
    // Once more does no harm.
    bytes[at] = (bytes[at] as number) | 0x80;
    at++;
  }
  return bytes.subarray(start, valueEnd);
}

/** The entries in `rows` of stored keys and texts, without what their keys begin with; `undefined` if one of them is damaged. */
export function openedEntries(
  rows: readonly (readonly [string, string])[],
  prefixLength: number,
): readonly StoreEntry[] | undefined {
  let text = "";
  for (const row of rows) text += row[0] + row[1];
  if (NO_BYTE.test(text)) return undefined;
  const bytes = Buffer.from(text, "latin1");
  if (crc32(bytes) !== 0) return undefined;
  let end = 0;
  return rows.map(([key, stored]) => {
    const start = end + key.length;
    end = start + stored.length;
    return new OpenedEntry(key.slice(prefixLength) as BinaryKey, bytes, start, end - TAIL_LENGTH);
  });
}

/** Many are read for their keys alone. */
class OpenedEntry implements StoreEntry {
  readonly key: BinaryKey;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(key: BinaryKey, bytes: Buffer, start: number, end: number) {
    this.key = key;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get value(): Buffer {
    return valueIn(this.#bytes, this.#start, this.#end, this.#bytes[this.#end]);
  }
}
