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

/** The character behind a value that is ASCII, and behind one that is not and is therefore stored as Base64: `t` and `b`. */
export const AS_IT_IS = 0x74;
export const AS_BASE64 = 0x62;
/** That character and the seal. */
export const TAIL_LENGTH = 1 + SEAL_LENGTH;

/** No byte: damage. Of text that has one byte per character the engine knows it without a look. */
const NO_BYTE = /[\u0100-\uffff]/;
/** So much text is checked at once: more of it would take memory of its own, which the system fills with zeros each time. */
const CHECKED_LENGTH = 32 * 1024;
const scratch = Buffer.allocUnsafeSlow(2 * CHECKED_LENGTH);

/** The value in `text`, which is stored under a key, given by the caller, that comes to `keyRegister`; `undefined` if it is not what was stored there. */
export function openedValue(keyRegister: number, text: string): Buffer | undefined {
  const end = text.length - TAIL_LENGTH;
  if (end < 0 || NO_BYTE.test(text)) return undefined;
  const bytes = Buffer.allocUnsafe(end);
  bytes.write(text, 0, end, "latin1");
  if (registerOfText(registerOfBytes(keyRegister, bytes), text, end) !== NOTHING) return undefined;
  return text.charCodeAt(end) === AS_BASE64 ? Buffer.from(text.slice(0, end), "base64") : bytes;
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

/** The value in `text`, which was checked. */
function valueIn(text: string): Buffer {
  const end = text.length - TAIL_LENGTH;
  if (text.charCodeAt(end) === AS_BASE64) return Buffer.from(text.slice(0, end), "base64");
  const bytes = Buffer.allocUnsafe(end);
  bytes.write(text, 0, end, "latin1");
  return bytes;
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
    return valueIn(this.#text);
  }
}
