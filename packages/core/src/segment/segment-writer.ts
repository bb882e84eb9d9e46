/**
 * Writes one segment: entries in, bytes out, in one pass and bounded memory.
 *
 * Invariants:
 * - Entries come in strictly ascending key order; a key begins with its key group and state id.
 * - No block spans two key groups, so that a reader of some key groups reads only their bytes.
 * - The same entries under the same identity give the same bytes.
 * @see docs/formats.md#segment
 */

import { createHash, type Hash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import { assert } from "../assert.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { type BinaryKey, EMPTY_KEY, readUint16, sharedLength } from "../key/binary-key.js";
import { type EntryBlock, FLAG_DELETE, FLAG_PACKED } from "./entry-block.js";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_TARGET_BYTES,
  CHECKSUM_OFFSET,
  blockChecksum,
  checksumSeed,
  COMPRESSION_DEFLATE,
  COMPRESSION_NONE,
  type Compression,
  type GroupIndex,
  HEADER_VERSION,
  PACKED_VERSION,
  PLAIN_VERSION,
  SEGMENT_MAGIC,
  type StateSummary,
} from "./format.js";

const DRAIN_BYTES = 256 * 1024;

export interface SegmentWriterOptions {
  /** Name of the segment, bound into its checksums. */
  readonly identity: string;
  readonly compression: Compression;
  /** Codec version by state id, for the footer. */
  readonly codecVersions: ReadonlyMap<number, number>;
}

/** What became of a segment, known when it is finished. */
export interface WrittenSegment {
  readonly bytes: number;
  readonly sha256: string;
  /** Footer and trailer. */
  readonly indexBytes: number;
  readonly indexSha256: string;
  readonly entries: number;
  readonly tombstones: number;
  readonly states: readonly StateSummary[];
  /** Lengths by key group, ascending. */
  readonly groups: readonly { readonly group: number; readonly bytes: number; readonly entries: number }[];
}

interface OpenGroup {
  readonly group: number;
  readonly offset: number;
  readonly blockBytes: number[];
  readonly hash: Hash;
  entries: number;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #seed: number;
  readonly #out = new ByteWriter();
  readonly #wholeHash = createHash("sha256");
  readonly #groups: GroupIndex[] = [];
  readonly #states = new Map<number, { entries: number; bytes: number }>();
  #drained = 0;
  #blockStart = -1;
  #previous: BinaryKey = EMPTY_KEY;
  #group: OpenGroup | undefined;
  #state: { entries: number; bytes: number } | undefined;
  #stateId = -1;
  #entries = 0;
  #tombstones = 0;
  #hasPacked = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#seed = checksumSeed(options.identity);
    this.#out.latin1(SEGMENT_MAGIC);
    this.#out.uint8(HEADER_VERSION);
  }

  /** Appends entry `at` of `block`, which may be reused after the call. */
  append(block: EntryBlock, at: number): void {
    const key = block.keys[at] as BinaryKey;
    const flags = block.flags[at] as number;
    const start = block.starts[at] as number;
    const end = block.ends[at] as number;
    this.#enter(readUint16(key, 0), readUint16(key, 2));
    const out = this.#out;
    if (this.#blockStart < 0) this.#openBlock();
    const shared = sharedLength(this.#previous, key);
    assert(this.#previous.length === 0 || shared < key.length, "entries come in strictly ascending key order");
    out.varint(shared);
    out.varint(key.length - shared);
    out.uint8(flags);
    out.varint(end - start);
    out.latin1(key, shared);
    out.copy(block.bytes, start, end);
    this.#previous = key;
    this.#count(key.length + end - start, flags);
    if (out.length - this.#blockStart >= BLOCK_TARGET_BYTES) this.#closeBlock();
  }

  /** Finished bytes worth handing on, or nothing yet. The caller owns them. */
  drain(): Uint8Array | undefined {
    if (this.#blockStart >= 0 || this.#out.length < DRAIN_BYTES) return undefined;
    return this.#take();
  }

  /** Ends the segment: its last bytes and what it became. */
  finish(): { readonly last: Uint8Array; readonly written: WrittenSegment } {
    this.#closeGroup();
    const out = this.#out;
    const indexStart = out.length;
    this.#writeFooter();
    const footerBytes = out.length - indexStart;
    const checksum = crc32(out.view(indexStart));
    out.uint32(footerBytes);
    out.uint32(checksum);
    out.latin1(SEGMENT_MAGIC);
    out.uint8(this.#hasPacked ? PACKED_VERSION : PLAIN_VERSION);
    const indexSha256 = createHash("sha256").update(out.view(indexStart)).digest("hex");
    const indexBytes = out.length - indexStart;
    const last = this.#take();
    const written: WrittenSegment = {
      bytes: this.#drained,
      sha256: this.#wholeHash.digest("hex"),
      indexBytes,
      indexSha256,
      entries: this.#entries,
      tombstones: this.#tombstones,
      states: this.#stateSummaries(),
      groups: this.#groups.map(({ group, entries, blockBytes }) => ({
        group,
        entries,
        bytes: blockBytes.reduce((sum, bytes) => sum + bytes, 0),
      })),
    };
    return { last, written };
  }

  #take(): Uint8Array {
    const chunk = this.#out.take();
    this.#wholeHash.update(chunk);
    this.#drained += chunk.length;
    return chunk;
  }

  #enter(group: number, stateId: number): void {
    if (this.#group?.group !== group) {
      this.#closeGroup();
      this.#group = {
        group,
        offset: this.#drained + this.#out.length,
        blockBytes: [],
        hash: createHash("sha256"),
        entries: 0,
      };
    }
    if (this.#stateId !== stateId || this.#state === undefined) {
      this.#stateId = stateId;
      this.#state = this.#states.get(stateId) ?? { entries: 0, bytes: 0 };
      this.#states.set(stateId, this.#state);
    }
  }

  #count(bytes: number, flags: number): void {
    assert(this.#group !== undefined && this.#state !== undefined, "an entry belongs to a key group and a state");
    this.#group.entries++;
    this.#state.entries++;
    this.#state.bytes += bytes;
    this.#entries++;
    if ((flags & FLAG_DELETE) !== 0) this.#tombstones++;
    if ((flags & FLAG_PACKED) !== 0) this.#hasPacked = true;
  }

  #openBlock(): void {
    this.#blockStart = this.#out.length;
    this.#previous = EMPTY_KEY;
    this.#out.skip(BLOCK_HEADER_BYTES);
  }

  #closeBlock(): void {
    if (this.#blockStart < 0) return;
    assert(this.#group !== undefined, "a block belongs to a key group");
    const out = this.#out;
    const start = this.#blockStart;
    const rawBytes = out.length - start - BLOCK_HEADER_BYTES;
    const compression = this.#compress(start + BLOCK_HEADER_BYTES, rawBytes);
    out.patchUint32(start, out.length - start - BLOCK_HEADER_BYTES);
    out.patchUint32(start + 4, rawBytes);
    out.patchUint8(start + 8, compression);
    const checksum = blockChecksum(this.#seed, this.#drained + start, out.view(start));
    out.patchUint32(start + CHECKSUM_OFFSET, checksum);
    this.#group.blockBytes.push(out.length - start);
    this.#group.hash.update(out.view(start));
    this.#blockStart = -1;
    this.#previous = EMPTY_KEY;
  }

  /** Replaces the raw entries by compressed ones where that saves space. */
  #compress(start: number, rawBytes: number): number {
    if (this.#options.compression === "none") return COMPRESSION_NONE;
    const compressed = deflateRawSync(this.#out.view(start), { level: 1 });
    if (compressed.length >= rawBytes) return COMPRESSION_NONE;
    this.#out.truncate(start);
    this.#out.bytes(compressed);
    return COMPRESSION_DEFLATE;
  }

  #closeGroup(): void {
    this.#closeBlock();
    const open = this.#group;
    if (open === undefined) return;
    const last = this.#groups.at(-1);
    assert(last === undefined || last.group < open.group, "key groups come in ascending order");
    this.#groups.push({ ...open, sha256: open.hash.digest() });
    this.#group = undefined;
  }

  #stateSummaries(): StateSummary[] {
    return [...this.#states]
      .sort(([a], [b]) => a - b)
      .map(([stateId, { entries, bytes }]) => ({
        stateId,
        codecVersion: this.#options.codecVersions.get(stateId) ?? 1,
        entries,
        bytes,
      }));
  }

  #writeFooter(): void {
    const out = this.#out;
    out.utf8(this.#options.identity);
    out.varint(this.#entries);
    out.varint(this.#tombstones);
    const states = this.#stateSummaries();
    out.varint(states.length);
    for (const state of states) {
      out.uint16(state.stateId);
      out.varint(state.codecVersion);
      out.varint(state.entries);
      out.varint(state.bytes);
    }
    out.varint(this.#groups.length);
    for (const group of this.#groups) {
      out.uint16(group.group);
      out.varint(group.offset);
      out.varint(group.entries);
      out.varint(group.blockBytes.length);
      for (const bytes of group.blockBytes) out.varint(bytes);
      out.bytes(group.sha256);
    }
  }
}
