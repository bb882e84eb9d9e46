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
import { AS_BASE64, AS_IT_IS, FURTHER, HIGH_APART, PLACES_COUNT_LENGTH, TAIL_LENGTH } from "./entry-text.js";
import { EntryBuffers } from "./entry-buffers.js";
import { NOTHING, registerOfBytes, registerOfText, SEAL_LENGTH, writeSeal } from "./seal.js";

/** Up to so many characters a loop is faster than a call out of JavaScript. */
const SHORT_LENGTH = 64;
/** Longer values are looked through by a call out of JavaScript. */
const LONG_BYTES = 1024;
/** A value of which a greater part is above 127 is shorter, or not much longer, as Base64. */
const HIGH_SHARE = 6;

/** Where the bytes above 127 of the value that is being encoded are, and how many. */
const highPlaces = new Uint16Array(LONG_BYTES);
let highCount = 0;

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
    const places = placesLength(value);
    const stored =
      places === 0 ? this.#asItIs(value) : places === undefined ? this.#asBase64(value) : this.#apart(value, places);
    const sealAt = stored.length - SEAL_LENGTH;
    writeSeal(registerOfBytes(registerOfText(this.#register, key), stored, sealAt), stored, sealAt);
    return stored;
  }

  #asItIs(value: Uint8Array): Buffer {
    const { length } = value;
    const stored = this.#values.take(length + TAIL_LENGTH);
    stored.set(value);
    stored[length] = AS_IT_IS;
    return stored;
  }

  #apart(value: Uint8Array, places: number): Buffer {
    const { length } = value;
    const stored = this.#values.take(length + places + PLACES_COUNT_LENGTH + TAIL_LENGTH);
    stored.set(value);
    let to = length;
    let from = 0;
    for (let index = 0; index < highCount; index++) {
      const at = highPlaces[index] as number;
      stored[at] = (value[at] as number) & 0x7f;
      for (; at - from >= FURTHER; from += FURTHER) stored[to++] = FURTHER;
      stored[to++] = at - from;
      from = at + 1;
    }
    stored[to++] = places >>> 7;
    stored[to++] = places & 0x7f;
    stored[to] = HIGH_APART;
    return stored;
  }

  #asBase64({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
    const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    const stored = this.#values.take(text.length + TAIL_LENGTH);
    stored.write(text, "latin1");
    stored[text.length] = AS_BASE64;
    return stored;
  }
}

/**
 * How many characters say which bytes are above 127, which are then in `highPlaces`; `undefined` if that is too much, or `value` too long to be gone
 * through.
 */
function placesLength(value: Uint8Array): number | undefined {
  const { length } = value;
  if (length > LONG_BYTES) return isAscii(value) ? 0 : undefined;
  findHigh(value);
  let places = highCount;
  let from = 0;
  for (let index = 0; index < highCount; index++) {
    const at = highPlaces[index] as number;
    places += Math.floor((at - from) / FURTHER);
    from = at + 1;
  }
  return places * HIGH_SHARE <= length ? places : undefined;
}

/** Most bytes are ASCII: four are looked at together. */
function findHigh(value: Uint8Array): void {
  const { length } = value;
  highCount = 0;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const four =
      (value[at] as number) | (value[at + 1] as number) | (value[at + 2] as number) | (value[at + 3] as number);
    if ((four & 0x80) === 0) continue;
    noteHigh(value, at, at + 4);
  }
  noteHigh(value, at, length);
}

function noteHigh(value: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) if ((value[at] as number) >= 0x80) highPlaces[highCount++] = at;
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
