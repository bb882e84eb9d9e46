/**
 * Entries on their way into a database.
 *
 * Invariants:
 * - Encoded keys are in the order of the keys.
 * - What a database of our own is given is valid until the next call: its batches copy it.
 *
 * @see docs/formats.md#leveldb
 */

import { isAscii } from "node:buffer";
import type { BinaryKey } from "@tidemark/core";
import { AS_BASE64, AS_IT_IS, TAIL_LENGTH } from "./entry-text.js";
import { EntryBuffers } from "./entry-buffers.js";
import { NOTHING, registerOfBytes, registerOfText, writeSeal } from "./seal.js";

/** Up to so many characters a loop is faster than a call out of JavaScript. */
const SHORT_LENGTH = 64;
/** Of longer values only ASCII stands as it is: they are looked through by a call out of JavaScript. */
const LONG_BYTES = 1024;
/** A value of which so small a part, or less, is above 127 stands as it is. */
const HIGH_SHARE = 8;

export class EntryEncoder {
  readonly #prefix: Buffer;
  readonly #register: number;
  readonly #keys: EntryBuffers;
  readonly #values: EntryBuffers;

  /** @param prefix what all keys begin with */
  constructor(prefix: string, isCopied: boolean) {
    this.#prefix = Buffer.from(prefix);
    this.#register = registerOfText(NOTHING, prefix);
    this.#keys = new EntryBuffers(isCopied);
    this.#values = new EntryBuffers(isCopied);
  }

  key(key: BinaryKey): Buffer {
    const isShort = key.length <= SHORT_LENGTH;
    const skip = this.#prefix.length;
    const stored = this.#keys.take(skip + (isShort ? encodedLength(key) : Buffer.byteLength(key)));
    for (let at = 0; at < skip; at++) stored[at] = this.#prefix[at] as number;
    if (isShort) encodeText(key, stored, skip);
    else stored.write(key, skip);
    return stored;
  }

  /** `value` as it is stored under `key`. */
  value(key: BinaryKey, value: Uint8Array): Buffer {
    const register = registerOfText(this.#register, key);
    const length = textLength(value);
    return length === undefined ? this.#asBase64(register, value) : this.#asItIs(register, value, length);
  }

  #asItIs(register: number, value: Uint8Array, length: number): Buffer {
    const stored = this.#values.take(length + TAIL_LENGTH);
    if (length === value.length) stored.set(value);
    else encodeBytes(value, stored);
    stored[length] = AS_IT_IS;
    const after = registerOfText(registerOfBytes(register, value), String.fromCharCode(AS_IT_IS));
    writeSeal(after, stored, length + 1);
    return stored;
  }

  #asBase64(register: number, { buffer, byteOffset, byteLength }: Uint8Array): Buffer {
    const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    const stored = this.#values.take(text.length + TAIL_LENGTH);
    stored.write(text, "latin1");
    stored[text.length] = AS_BASE64;
    writeSeal(registerOfBytes(register, stored, text.length + 1), stored, text.length + 1);
    return stored;
  }
}

/** Bytes of `value` as UTF-8, a character for each byte; `undefined` if too many of them take two for that to be the shorter and faster form. */
function textLength(value: Uint8Array): number | undefined {
  if (value.length > LONG_BYTES) return isAscii(value) ? value.length : undefined;
  let { length } = value;
  for (let at = 0; at < value.length; at++) length += (value[at] as number) >>> 7;
  return (length - value.length) * HIGH_SHARE <= value.length ? length : undefined;
}

function encodeBytes(value: Uint8Array, bytes: Uint8Array): void {
  let to = 0;
  for (let at = 0; at < value.length; at++) {
    const byte = value[at] as number;
    if (byte >= 0x80) bytes[to++] = 0xc0 | (byte >>> 6);
    bytes[to++] = byte < 0x80 ? byte : 0x80 | (byte & 0x3f);
  }
}

/** Bytes of `text` as UTF-8; its characters are below U+0100. */
function encodedLength(text: string): number {
  let { length } = text;
  for (let at = 0; at < text.length; at++) length += text.charCodeAt(at) >>> 7;
  return length;
}

function encodeText(text: string, bytes: Uint8Array, start: number): void {
  let to = start;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character < 0x80) bytes[to++] = character;
    else {
      bytes[to++] = 0xc0 | (character >>> 6);
      bytes[to++] = 0x80 | (character & 0x3f);
    }
  }
}
