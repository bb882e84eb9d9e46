/**
 * Structured values as MessagePack.
 *
 * Invariants:
 * - Writes only what `ownValue` returned; every number and length in its shortest form, so that a value has one encoding.
 * - Safe integers are MessagePack integers; all other numbers, -0 among them, are float64, and NaN is 7FF8000000000000.
 *
 * @see docs/formats.md#structured-values
 */

import { assert } from "../assert.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import { hexOfMagnitude, invertBits } from "../bytes/magnitude.js";
import { kindOf, type MemoryKind, memoryOf } from "./copied-kind.js";
import { BARE_OBJECT, BIGINT, DATE, littleEndian, MAP, MEMORY_BY_KIND, SET, UNDEFINED } from "./extension.js";

const WORD_SPAN = 2 ** 32;
/** Text up to here may fit the one-byte header. */
const SHORT_TEXT_MAX = 31;

/** Appends the encoding of an owned `value`. */
export function writeStructured(value: unknown, out: ByteWriter): void {
  switch (typeof value) {
    case "string":
      writeText(value, out);
      return;
    case "number":
      writeNumber(value, out);
      return;
    case "boolean":
      out.uint8(value ? 0xc3 : 0xc2);
      return;
    case "object":
      if (value === null) out.uint8(0xc0);
      else writeObject(value, out);
      return;
    case "undefined":
      writeExtensionHeader(UNDEFINED, 0, out);
      return;
    case "bigint":
      writeBigint(value, out);
      return;
    default:
      assert(false, `a ${typeof value} is never owned, so never written`);
  }
}

function writeObject(value: object, out: ByteWriter): void {
  if (Array.isArray(value)) {
    writeArray(value, out);
    return;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) writeMembers(value as Record<string, unknown>, out);
  else if (prototype === null) writeNested(BARE_OBJECT, out, () => writeMembers(value as Record<string, unknown>, out));
  else writeCopied(value, out);
}

function writeMembers(value: Record<string, unknown>, out: ByteWriter): void {
  const names = Object.keys(value);
  writeCount(names.length, MAP_HEADER, out);
  for (const name of names) {
    writeText(name, out);
    writeStructured(value[name], out);
  }
}

function writeArray(value: readonly unknown[], out: ByteWriter): void {
  writeCount(value.length, ARRAY_HEADER, out);
  for (let index = 0; index < value.length; index++) writeStructured(value[index], out);
}

function writeEntries(value: ReadonlyMap<unknown, unknown>, out: ByteWriter): void {
  writeCount(value.size * 2, ARRAY_HEADER, out);
  for (const [key, member] of value) {
    writeStructured(key, out);
    writeStructured(member, out);
  }
}

function writeCopied(value: object, out: ByteWriter): void {
  const kind = kindOf(value);
  switch (kind) {
    case undefined:
      return assert(false, "a class instance is never owned, so never written");
    case "Date":
      writeExtensionHeader(DATE, 8, out);
      out.float64(oneNan((value as Date).getTime()));
      break;
    case "Map":
      writeNested(MAP, out, () => writeEntries(value as ReadonlyMap<unknown, unknown>, out));
      break;
    case "Set":
      writeNested(SET, out, () => writeArray([...(value as ReadonlySet<unknown>)], out));
      break;
    default:
      writeMemory(kind, memoryOf(value as ArrayBuffer | ArrayBufferView), out);
  }
}

function writeMemory(kind: MemoryKind, memory: Uint8Array, out: ByteWriter): void {
  const extension = MEMORY_BY_KIND.get(kind);
  if (extension === undefined) {
    writeLength(memory.length, BIN_HEADER, out);
    out.bytes(memory);
    return;
  }
  writeExtensionHeader(extension.code, memory.length, out);
  out.bytes(littleEndian(memory, extension.elementBytes));
}

/** An extension whose length is known only afterwards always has the four-byte length. */
function writeNested(code: number, out: ByteWriter, writeContent: () => void): void {
  out.uint8(0xc9);
  out.uint32(0);
  out.uint8(code);
  const start = out.length;
  writeContent();
  out.patchUint32(start - 5, out.length - start);
}

/** NaN has many bit patterns; one is written. */
export function oneNan(value: number): number {
  return value === value ? value : Number.NaN;
}

function writeNumber(value: number, out: ByteWriter): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    out.uint8(0xcb);
    out.float64(oneNan(value));
  } else if (value >= 0) {
    writeNatural(value, out);
  } else {
    writeNegative(value, out);
  }
}

function writeNatural(value: number, out: ByteWriter): void {
  if (value <= 0x7f) {
    out.uint8(value);
  } else if (value <= 0xff) {
    out.uint8(0xcc);
    out.uint8(value);
  } else if (value <= 0xffff) {
    out.uint8(0xcd);
    out.uint16(value);
  } else if (value < WORD_SPAN) {
    out.uint8(0xce);
    out.uint32(value);
  } else {
    out.uint8(0xcf);
    writeWords(value, out);
  }
}

function writeNegative(value: number, out: ByteWriter): void {
  if (value >= -0x20) {
    out.uint8(value);
  } else if (value >= -0x80) {
    out.uint8(0xd0);
    out.uint8(value);
  } else if (value >= -0x8000) {
    out.uint8(0xd1);
    out.uint16(value);
  } else if (value >= -0x8000_0000) {
    out.uint8(0xd2);
    out.uint32(value);
  } else {
    out.uint8(0xd3);
    writeWords(value, out);
  }
}

/** 64 bits, in two's complement. */
function writeWords(value: number, out: ByteWriter): void {
  const high = Math.floor(value / WORD_SPAN);
  out.uint32(high);
  out.uint32(value - high * WORD_SPAN);
}

function writeText(text: string, out: ByteWriter): void {
  if (text.length <= SHORT_TEXT_MAX) {
    const start = out.length;
    out.uint8(0xa0 | text.length);
    if (out.ascii(text)) return;
    out.truncate(start);
  }
  const byteLength = Buffer.byteLength(text);
  if (byteLength <= SHORT_TEXT_MAX) out.uint8(0xa0 | byteLength);
  else writeLength(byteLength, TEXT_HEADER, out);
  out.utf8Content(text, byteLength);
}

function writeBigint(value: bigint, out: ByteWriter): void {
  const digits = hexOfMagnitude(value < 0n ? ~value : value);
  // The first bit is the sign.
  const bytes = Buffer.from(digits >= "8" ? `00${digits}` : digits, "hex");
  if (value < 0n) invertBits(bytes);
  writeExtensionHeader(BIGINT, bytes.length, out);
  out.bytes(bytes);
}

/** The first of the three header bytes with 8, 16 and 32 bits of length. */
const TEXT_HEADER = 0xd9;
const BIN_HEADER = 0xc4;
const EXTENSION_HEADER = 0xc7;

function writeLength(length: number, header: number, out: ByteWriter): void {
  if (length <= 0xff) {
    out.uint8(header);
    out.uint8(length);
  } else if (length <= 0xffff) {
    out.uint8(header + 1);
    out.uint16(length);
  } else {
    out.uint8(header + 2);
    out.uint32(length);
  }
}

function writeExtensionHeader(code: number, length: number, out: ByteWriter): void {
  if (length === 1 || length === 2 || length === 4 || length === 8 || length === 16) {
    out.uint8(0xd4 + Math.log2(length));
  } else {
    writeLength(length, EXTENSION_HEADER, out);
  }
  out.uint8(code);
}

interface CountHeader {
  /** With the count in its lowest four bits. */
  readonly short: number;
  /** Before 16 bits of count; the next byte is before 32 bits. */
  readonly long: number;
}

const ARRAY_HEADER: CountHeader = { short: 0x90, long: 0xdc };
const MAP_HEADER: CountHeader = { short: 0x80, long: 0xde };

function writeCount(count: number, header: CountHeader, out: ByteWriter): void {
  if (count <= 15) {
    out.uint8(header.short | count);
  } else if (count <= 0xffff) {
    out.uint8(header.long);
    out.uint16(count);
  } else {
    out.uint8(header.long + 1);
    out.uint32(count);
  }
}
