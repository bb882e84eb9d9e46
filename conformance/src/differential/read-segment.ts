/**
 * Reads a segment as docs/formats.md has it. Shares no code with core, so that a fault of core's writer and reader in the same
 * place does not go unseen.
 */

import { createHash } from "node:crypto";
import { crc32, inflateRawSync } from "node:zlib";

const HEADER_BYTES = 8;
const BLOCK_HEADER_BYTES = 13;
const TRAILER_BYTES = 16;
const DEFLATED = 1;

/** Bits of an entry's flags. */
export const DELETE = 1;
export const CLEAR = 2;
export const EXPIRES = 4;
export const PACKED = 8;

/** An entry of a segment, as it is stored. */
export interface RawEntry {
  /** Composite: key group, state id, and what follows. */
  readonly key: Buffer;
  readonly flags: number;
  readonly value: Buffer;
}

/** What the manifest says of a segment. */
export interface SegmentClaim {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly entries: number;
}

/** Bytes that are read from the front. */
export class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Error("A segment ends too early.");
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** Seven bits in each byte, the lowest first. */
  varint(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.take(1).readUInt8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}

/** All entries, in ascending order. @throws {Error} if the segment is not what the manifest says, or not whole */
export function readSegment(bytes: Buffer, { name, sha256, bytes: length, entries: count }: SegmentClaim): RawEntry[] {
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256 || bytes.length !== length) throw new Error(`Segment ${name} is not the one of the manifest.`);
  const footerBytes = bytes.readUInt32BE(bytes.length - TRAILER_BYTES);
  const end = bytes.length - TRAILER_BYTES - footerBytes;
  const entries: RawEntry[] = [];
  let at = HEADER_BYTES;
  while (at < end) {
    const block = blockAt(bytes, at, name);
    entries.push(...entriesOf(block.content));
    at = block.end;
  }
  if (at !== end || entries.length !== count) throw new Error(`Segment ${name} has ${entries.length} entries.`);
  const isAscending = entries.every(({ key }, index) => index === 0 || entries[index - 1]!.key.compare(key) < 0);
  if (!isAscending) throw new Error(`The keys of segment ${name} do not ascend.`);
  return entries;
}

function blockAt(bytes: Buffer, at: number, name: string): { readonly content: Buffer; readonly end: number } {
  const header = bytes.subarray(at, at + BLOCK_HEADER_BYTES);
  const end = at + BLOCK_HEADER_BYTES + header.readUInt32BE(0);
  const stored = bytes.subarray(at + BLOCK_HEADER_BYTES, end);
  const offset = Buffer.alloc(8);
  offset.writeBigUInt64BE(BigInt(at));
  const covered = Buffer.concat([Buffer.from(name, "latin1"), offset, header.subarray(0, 9), stored]);
  if (crc32(covered) !== header.readUInt32BE(9)) throw new Error(`A block of segment ${name} is damaged.`);
  const content = header.readUInt8(8) === DEFLATED ? inflateRawSync(stored) : stored;
  if (content.length !== header.readUInt32BE(4)) throw new Error(`A block of segment ${name} has another length.`);
  return { content, end };
}

function entriesOf(content: Buffer): RawEntry[] {
  const cursor = new Cursor(content);
  const entries: RawEntry[] = [];
  let key: Buffer = Buffer.alloc(0);
  while (!cursor.isAtEnd) {
    const shared = cursor.varint();
    const suffixBytes = cursor.varint();
    const flags = cursor.take(1).readUInt8();
    const valueBytes = cursor.varint();
    key = Buffer.concat([key.subarray(0, shared), cursor.take(suffixBytes)]);
    entries.push({ key, flags, value: cursor.take(valueBytes) });
  }
  return entries;
}
