/**
 * Constants and small structures of the segment format. The bytes are specified in docs/formats.md#segment.
 *
 * header | block … block | footer | trailer
 */

import { crc32 } from "node:zlib";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "./entry-block.js";

/** In the header of every segment: it is written before anyone knows what the segment will hold. */
export const HEADER_VERSION = 1;
/** In the trailer, if no entry is packed. */
export const PLAIN_VERSION = 1;
/** In the trailer of a segment with packed entries. */
export const PACKED_VERSION = 2;
/** First bytes of the header and last bytes of the trailer; the eighth is the version. */
export const SEGMENT_MAGIC = "TIDESEG";
export const HEADER_BYTES = 8;
/** stored length u32, raw length u32, compression u8, checksum u32. */
export const BLOCK_HEADER_BYTES = 13;
/** footer length u32, checksum u32, magic and version. */
export const TRAILER_BYTES = 16;
/** A block is closed when its entries reach this length. */
export const BLOCK_TARGET_BYTES = 32 * 1024;
/** No block may claim more than this when uncompressed: as much as a writer can put into one. */
export const BLOCK_RAW_BYTES_MAX = 0x7fff_ffff;
export const HASH_BYTES = 32;

/** How the entries of a block are stored. */
export const COMPRESSION_NONE = 0;
export const COMPRESSION_DEFLATE = 1;

/** Name of a compression in options. */
export type Compression = "none" | "deflate";

/** Bits of an entry's flags that a version gives a meaning; `undefined` for a version that is not known. */
export function knownFlags(version: number): number | undefined {
  const plain = FLAG_DELETE | FLAG_CLEAR | FLAG_EXPIRES;
  if (version === PLAIN_VERSION) return plain;
  return version === PACKED_VERSION ? plain | FLAG_PACKED : undefined;
}

/** What a segment says of one state in it. */
export interface StateSummary {
  readonly stateId: number;
  /** Version of the codec that wrote its values. */
  readonly codecVersion: number;
  readonly entries: number;
  /** Keys and values, before prefix compression and block compression. */
  readonly bytes: number;
}

/** One key group of a segment. */
export interface GroupIndex {
  readonly group: number;
  /** Where its first block begins. */
  readonly offset: number;
  readonly entries: number;
  /** Lengths of its blocks, headers included; they lie side by side. */
  readonly blockBytes: readonly number[];
  /** SHA-256 of all its blocks. */
  readonly sha256: Uint8Array;
}

/** What a segment holds, from its footer. */
export interface SegmentIndex {
  readonly version: number;
  readonly identity: string;
  readonly entries: number;
  readonly tombstones: number;
  readonly states: readonly StateSummary[];
  readonly groups: readonly GroupIndex[];
}

/** Length of all blocks of a group. */
export function groupBytes(group: GroupIndex): number {
  return group.blockBytes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Seed of all block checksums of a segment: binds them to its identity. */
export function checksumSeed(identity: string): number {
  return crc32(identity);
}

const place = Buffer.allocUnsafe(8);

/** Where the checksum stands in the header of a block. */
export const CHECKSUM_OFFSET = 9;

/** Checksum of a block: over which segment, where in it, and all bytes of the block but the checksum itself. */
export function blockChecksum(seed: number, offset: number, block: Buffer): number {
  place.writeBigUInt64BE(BigInt(offset));
  const header = crc32(block.subarray(0, CHECKSUM_OFFSET), crc32(place, seed));
  return crc32(block.subarray(BLOCK_HEADER_BYTES), header);
}
