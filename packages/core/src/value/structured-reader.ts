/**
 * Structured values from MessagePack that nobody vouches for.
 *
 * Invariants:
 * - Anything that is not an encoding is CHECKPOINT_CORRUPT; no other error, no unbounded depth, no memory by a claimed count.
 * - What is read is owned: plain objects and arrays are frozen, and those that hold copied kinds are marked.
 * - Integers and lengths are read in every MessagePack form, also in longer ones than we write.
 *
 * @see docs/formats.md#structured-values
 */

import { type ByteReader, corruptBytes } from "../bytes/byte-reader.js";
import { invertBits, magnitudeOfBytes } from "../bytes/magnitude.js";
import { onMemory } from "./copied-kind.js";
import {
  BARE_OBJECT,
  BIGINT,
  DATE,
  littleEndian,
  MAP,
  MEMORY_BY_CODE,
  type MemoryExtension,
  SET,
  UNDEFINED,
} from "./extension.js";
import { markHoldingMutable } from "./own.js";
import { TextCache } from "./text-cache.js";

/** A little more than `ownValue` allows. */
const DEPTH_MAX = 512;

const names = new TextCache(31);
/** Longer values are seldom the same twice. */
const texts = new TextCache(8);

const WORD_SPAN = 2 ** 32;

/**
 * The value that `input` consists of, up to its end.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the bytes are not the encoding of one value
 */
export function readStructured(input: ByteReader): unknown {
  const value = new StructuredReader(input).value();
  if (input.remaining > 0) throw corruptBytes("bytes follow the value", `remaining=${input.remaining}`);
  if (value === undefined) throw corruptBytes("undefined stands for no value", `position=${input.position}`);
  return value;
}

class StructuredReader {
  readonly #input: ByteReader;
  /** Containers around what is read next. */
  #depth = 0;
  /** Objects of a copied kind that were read, so that a container can tell whether it holds one. */
  #mutableCount = 0;

  constructor(input: ByteReader) {
    this.#input = input;
  }

  value(): unknown {
    const input = this.#input;
    const tag = input.uint8();
    if (tag <= 0x7f) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag <= 0x8f) return this.#object({}, tag & 0x0f);
    if (tag <= 0x9f) return this.#array(tag & 0x0f);
    if (tag <= 0xbf) return texts.read(input, tag & 0x1f);
    return tag >= 0xca && tag <= 0xd3 ? this.#number(tag) : this.#tagged(tag);
  }

  #number(tag: number): number {
    const input = this.#input;
    switch (tag) {
      case 0xcb:
        return input.float64();
      case 0xcc:
        return input.uint8();
      case 0xcd:
        return input.uint16();
      case 0xce:
        return input.uint32();
      case 0xcf:
        return this.#safe(input.uint32() * WORD_SPAN + input.uint32());
      case 0xd0:
        return (input.uint8() << 24) >> 24;
      case 0xd1:
        return (input.uint16() << 16) >> 16;
      case 0xd2:
        return input.uint32() | 0;
      case 0xd3:
        return this.#safe((input.uint32() | 0) * WORD_SPAN + input.uint32());
      default:
        throw this.#corrupt("a float32, which is not in the format");
    }
  }

  #tagged(tag: number): unknown {
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        this.#mutableCount++;
        return this.#input.bytes(this.#length(tag - 0xc4));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(tag - 0xc7));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (tag - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#input.utf8Content(this.#length(tag - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(tag - 0xdb));
      case 0xde:
      case 0xdf:
        return this.#object({}, this.#length(tag - 0xdd));
      default:
        throw this.#corrupt("an unknown type");
    }
  }

  /** A length of 8, 16 or 32 bits, for `size` 0, 1 or 2. */
  #length(size: number): number {
    if (size === 0) return this.#input.uint8();
    return size === 1 ? this.#input.uint16() : this.#input.uint32();
  }

  #safe(value: number): number {
    if (Number.isSafeInteger(value)) return value;
    throw this.#corrupt("an integer that is not safe");
  }

  #array(count: number): readonly unknown[] {
    const before = this.#mutableCount;
    const array = this.#elements(count);
    if (this.#mutableCount !== before) markHoldingMutable(array);
    return Object.freeze(array);
  }

  /** Elements are pushed: memory grows with what was read, not with what was claimed. */
  #elements(count: number): unknown[] {
    this.#enter();
    const elements: unknown[] = [];
    for (let index = 0; index < count; index++) elements.push(this.value());
    this.#depth--;
    return elements;
  }

  #object(target: Record<string, unknown>, count: number): object {
    this.#enter();
    const before = this.#mutableCount;
    for (let index = 0; index < count; index++) {
      const name = this.#name();
      if (name === "__proto__") throw this.#corrupt("a property named __proto__");
      target[name] = this.value();
    }
    this.#depth--;
    if (Object.keys(target).length !== count) throw this.#corrupt("an object with a property twice");
    if (this.#mutableCount !== before) markHoldingMutable(target);
    return Object.freeze(target);
  }

  #name(): string {
    const tag = this.#input.uint8();
    if (tag >= 0xa0 && tag <= 0xbf) return names.read(this.#input, tag & 0x1f);
    if (tag >= 0xd9 && tag <= 0xdb) return this.#input.utf8Content(this.#length(tag - 0xd9));
    throw this.#corrupt("an object whose key is not text");
  }

  #extension(length: number): unknown {
    const input = this.#input;
    const code = input.uint8();
    if (length > input.remaining) throw this.#corrupt("an extension longer than what is left");
    const end = input.position + length;
    const value = this.#extensionOf(code, length);
    if (input.position !== end) throw this.#corrupt("an extension of another length than its content");
    return value;
  }

  #extensionOf(code: number, length: number): unknown {
    switch (code) {
      case UNDEFINED:
        return undefined;
      case BIGINT:
        return this.#bigint(length);
      case DATE:
        return this.#date();
      case MAP:
        return this.#map();
      case SET:
        return this.#set();
      case BARE_OBJECT:
        return this.#object(Object.create(null) as Record<string, unknown>, this.#count("object"));
      default: {
        const extension = MEMORY_BY_CODE.get(code);
        if (extension === undefined) throw this.#corrupt("an unknown extension type");
        return this.#memory(extension, length);
      }
    }
  }

  #bigint(length: number): bigint {
    const bytes = Buffer.from(this.#input.view(length));
    const [first, second] = bytes;
    if (first === undefined) throw this.#corrupt("a bigint without bytes");
    const isNegative = first >= 0x80;
    if (isNegative) invertBits(bytes);
    // Then the first byte says no more than the sign bit of the second does.
    if (bytes[0] === 0 && second !== undefined && second >= 0x80 === isNegative) {
      throw this.#corrupt("a bigint that is not in its shortest form");
    }
    const magnitude = magnitudeOfBytes(bytes);
    return isNegative ? ~magnitude : magnitude;
  }

  #date(): Date {
    this.#mutableCount++;
    const time = this.#input.float64();
    const date = new Date(time);
    if (date.getTime() === time || Number.isNaN(time)) return date;
    throw this.#corrupt("a date out of range");
  }

  #map(): Map<unknown, unknown> {
    this.#mutableCount++;
    this.#enter();
    const count = this.#count("array");
    if (count % 2 !== 0) throw this.#corrupt("a Map with a key without value");
    const map = new Map<unknown, unknown>();
    for (let index = 0; index < count; index += 2) map.set(this.value(), this.value());
    this.#depth--;
    if (map.size * 2 !== count) throw this.#corrupt("a Map with a key twice");
    return map;
  }

  #set(): Set<unknown> {
    this.#mutableCount++;
    const members = this.#elements(this.#count("array"));
    const set = new Set(members);
    if (set.size !== members.length) throw this.#corrupt("a Set with a member twice");
    return set;
  }

  #memory({ kind, elementBytes }: MemoryExtension, length: number): object {
    this.#mutableCount++;
    if (length % elementBytes !== 0) throw this.#corrupt("a typed array with part of an element");
    const memory = littleEndian(this.#input.bytes(length), elementBytes);
    return onMemory(kind, memory.buffer as ArrayBuffer);
  }

  /** The header of the array or object that an extension holds. */
  #count(type: "array" | "object"): number {
    const tag = this.#input.uint8();
    const short = type === "array" ? 0x90 : 0x80;
    const long = type === "array" ? 0xdc : 0xde;
    if (tag >= short && tag <= short + 15) return tag - short;
    if (tag === long || tag === long + 1) return this.#length(tag - long + 1);
    throw this.#corrupt("an extension that does not hold what its type asks for");
  }

  #enter(): void {
    if (++this.#depth > DEPTH_MAX) throw this.#corrupt(`containers nested more than ${DEPTH_MAX} deep`);
  }

  #corrupt(what: string): Error {
    return corruptBytes(what, `position=${this.#input.position} end=${this.#input.end}`);
  }
}
