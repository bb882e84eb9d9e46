/**
 * Reads segments: the index first, then the blocks of the key groups asked for, everything verified before it is used.
 *
 * Invariants:
 * - No byte of a segment is believed before its checksum; no length before it was compared with what is there.
 * - A key group's bytes match the hash in the index, and the index matches the hash in the manifest.
 * @see docs/formats.md#segment
 */

import { createHash } from "node:crypto";
import { crc32, inflateRawSync } from "node:zlib";
import { ByteReader } from "../bytes/byte-reader.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { quoted, StateBackendError } from "../errors.js";
import { type BinaryKey, EMPTY_KEY, readUint16 } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import { type EntryBlock, FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "./entry-block.js";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_RAW_BYTES_MAX,
  blockChecksum,
  checksumSeed,
  COMPRESSION_DEFLATE,
  COMPRESSION_NONE,
  type GroupIndex,
  groupBytes,
  HASH_BYTES,
  HEADER_BYTES,
  HEADER_VERSION,
  knownFlags,
  PACKED_VERSION,
  SEGMENT_MAGIC,
  type SegmentIndex,
  type StateSummary,
  TRAILER_BYTES,
} from "./format.js";
import { readObject } from "./read-object.js";

/** Blocks are fetched together up to about this length. */
const FETCH_BYTES = 1024 * 1024;

/** What a manifest says of a segment, as far as reading needs it. */
export interface SegmentAddress {
  /** Object name in the storage. */
  readonly name: string;
  /** Name that its checksums are bound to. */
  readonly identity: string;
  readonly bytes: number;
  readonly indexBytes: number;
  readonly indexSha256: string;
}

export class SegmentReader {
  readonly #storage: CheckpointStorage;
  readonly #address: SegmentAddress;
  readonly index: SegmentIndex;
  readonly #seed: number;

  private constructor(storage: CheckpointStorage, address: SegmentAddress, index: SegmentIndex) {
    this.#storage = storage;
    this.#address = address;
    this.index = index;
    this.#seed = checksumSeed(address.identity);
  }

  /**
   * Fetches and verifies the index.
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if the segment is missing, shorter or other than the manifest says
   */
  static async open(storage: CheckpointStorage, address: SegmentAddress): Promise<SegmentReader> {
    if (address.indexBytes < TRAILER_BYTES || address.indexBytes > address.bytes - HEADER_BYTES) {
      throw corrupt(address.name, "the manifest gives impossible lengths");
    }
    const range = { start: address.bytes - address.indexBytes, end: address.bytes };
    const bytes = await readObject(storage, address.name, range);
    if (createHash("sha256").update(bytes).digest("hex") !== address.indexSha256) {
      throw corrupt(address.name, "its index is not the one that the manifest names");
    }
    return new SegmentReader(storage, address, readIndex(bytes, address));
  }

  /**
   * Entries of `groups`, in ascending key order.
   * Every block is verified before it is handed out, a key group's hash after its last block: whoever uses the entries
   * must throw away what it made of them if the iteration fails.
   */
  async *entries(groups: KeyGroups): AsyncGenerator<EntryBlock, void, undefined> {
    const fetches = planFetches(this.index.groups.filter(({ group }) => groups.has(group)));
    const check = new GroupCheck(this.#address.name);
    const form = { name: this.#address.name, flags: knownFlags(this.index.version) ?? 0 };
    let pending = this.#fetch(fetches[0]);
    for (let i = 0; i < fetches.length; i++) {
      const bytes = await pending;
      // One batch is fetched while the one before it is used. A failure of it is reported when its turn comes.
      pending = this.#fetch(fetches[i + 1]);
      pending.catch(() => undefined);
      let at = bytesBefore(fetches[i]);
      if (at > 0) this.#checkHeader(bytes.subarray(0, at));
      for (const block of fetches[i] ?? []) {
        const content = bytes.subarray(at, at + block.bytes);
        at += block.bytes;
        const parsed = parseBlock(this.#openBlock(content, block.offset), block.group.group, form);
        check.add(block, content, parsed.count);
        yield parsed;
      }
    }
  }

  #fetch(blocks: readonly BlockPlace[] | undefined): Promise<Buffer> {
    const first = blocks?.[0];
    const last = blocks?.at(-1);
    if (first === undefined || last === undefined) return Promise.resolve(Buffer.alloc(0));
    const start = first.offset - bytesBefore(blocks);
    return readObject(this.#storage, this.#address.name, { start, end: last.offset + last.bytes });
  }

  #checkHeader(header: Buffer): void {
    const isOurs = header.toString("latin1", 0, SEGMENT_MAGIC.length) === SEGMENT_MAGIC;
    if (!isOurs || header[SEGMENT_MAGIC.length] !== HEADER_VERSION) {
      throw corrupt(this.#address.name, "it does not begin as a segment does");
    }
  }

  #openBlock(block: Buffer, offset: number): Buffer {
    const name = this.#address.name;
    if (block.length < BLOCK_HEADER_BYTES) throw corrupt(name, `block at offset ${offset} is shorter than its header`);
    const header = new ByteReader(block);
    const storedBytes = header.uint32();
    const rawBytes = header.uint32();
    const compression = header.uint8();
    const checksum = header.uint32();
    const stored = block.subarray(BLOCK_HEADER_BYTES);
    if (checksum !== blockChecksum(this.#seed, offset, block)) {
      throw corrupt(name, `block at offset ${offset} fails its checksum`);
    }
    if (storedBytes !== stored.length || rawBytes > BLOCK_RAW_BYTES_MAX) {
      throw corrupt(name, `block at offset ${offset} claims an impossible length`);
    }
    const raw = decompress(stored, { compression, rawBytes, name });
    if (raw.length !== rawBytes) throw corrupt(name, `block at offset ${offset} has another length than it claims`);
    return raw;
  }
}

interface StoredForm {
  readonly compression: number;
  readonly rawBytes: number;
  readonly name: string;
}

function decompress(stored: Buffer, { compression, rawBytes, name }: StoredForm): Buffer {
  switch (compression) {
    case COMPRESSION_NONE:
      return stored;
    case COMPRESSION_DEFLATE:
      try {
        return inflateRawSync(stored, { maxOutputLength: Math.max(1, rawBytes) });
      } catch (cause) {
        throw corrupt(name, "a block does not decompress to the length it claims", cause);
      }
    default:
      throw new StateBackendError(
        "FORMAT_UNSUPPORTED",
        `Unknown compression in a segment. name=${quoted(name)} compression=${compression}. Read it with a newer Tidemark.`,
      );
  }
}

/** One block, by where it lies. */
interface BlockPlace {
  readonly group: GroupIndex;
  readonly offset: number;
  readonly bytes: number;
  readonly endsGroup: boolean;
}

/** The header is read along with the block behind it. */
function bytesBefore(blocks: readonly BlockPlace[] | undefined): number {
  return blocks?.[0]?.offset === HEADER_BYTES ? HEADER_BYTES : 0;
}

/** Follows the hash and the number of entries of the key group being read. */
class GroupCheck {
  readonly #name: string;
  #hash = createHash("sha256");
  #entries = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(block: BlockPlace, content: Buffer, entries: number): void {
    this.#hash.update(content);
    this.#entries += entries;
    if (!block.endsGroup) return;
    const { group } = block;
    if (!this.#hash.digest().equals(group.sha256) || this.#entries !== group.entries) {
      throw corrupt(this.#name, `key group ${group.group} at offset ${group.offset} is not what its index says`);
    }
    this.#hash = createHash("sha256");
    this.#entries = 0;
  }
}

/** Blocks of `groups`, put together where they lie side by side, in fetches of about `FETCH_BYTES`. */
function planFetches(groups: readonly GroupIndex[]): BlockPlace[][] {
  const fetches: BlockPlace[][] = [];
  let end = -1;
  let bytes = 0;
  for (const group of groups) {
    let offset = group.offset;
    group.blockBytes.forEach((length, i) => {
      const place = { group, offset, bytes: length, endsGroup: i === group.blockBytes.length - 1 };
      if (offset === end && bytes + length <= FETCH_BYTES) {
        fetches.at(-1)?.push(place);
        bytes += length;
      } else {
        fetches.push([place]);
        bytes = length;
      }
      offset += length;
      end = offset;
    });
  }
  return fetches;
}

/** What the entries of a segment may be like. */
interface EntryForm {
  readonly name: string;
  /** The flags that its version knows. */
  readonly flags: number;
}

function parseBlock(raw: Buffer, group: number, { name, flags: known }: EntryForm): EntryBlock {
  const reader = new ByteReader(raw);
  const keys: BinaryKey[] = [];
  const flags: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let scratch: Buffer = Buffer.allocUnsafe(256);
  let previous: BinaryKey = EMPTY_KEY;
  while (reader.remaining > 0) {
    const shared = reader.varint();
    const suffix = reader.varint();
    const flag = reader.uint8();
    const valueBytes = reader.varint();
    if (shared > previous.length || suffix > reader.remaining) throw corrupt(name, "a key is longer than its block");
    const length = shared + suffix;
    // The key is put together as bytes and read once: a string joined from two would be a tree that every use walks.
    if (length > scratch.length) scratch = grown(scratch, shared, length);
    const start = reader.position;
    reader.skip(suffix);
    for (let at = 0; at < suffix; at++) scratch[shared + at] = raw[start + at] as number;
    const key = scratch.toString("latin1", 0, length) as BinaryKey;
    if (length < 4 || key <= previous || readUint16(key, 0) !== group) throw corrupt(name, "its keys are out of order");
    if ((flag & ~known) !== 0) throw unknownFlags(name, flag);
    checkFlags(flag, valueBytes, name);
    keys.push(key);
    flags.push(flag);
    starts.push(reader.position);
    reader.skip(valueBytes);
    ends.push(reader.position);
    previous = key;
  }
  return { count: keys.length, keys, flags, bytes: raw, starts, ends };
}

function checkFlags(flag: number, valueBytes: number, name: string): void {
  const isDeletion = (flag & FLAG_DELETE) !== 0;
  if (isDeletion && valueBytes !== 0) throw corrupt(name, "a deletion carries a value");
  const mustExpire = (flag & FLAG_EXPIRES) !== 0;
  if (mustExpire && (isDeletion || valueBytes < 8)) throw corrupt(name, "an expiry is missing");
  if ((flag & FLAG_PACKED) === 0) return;
  if (isDeletion || (flag & FLAG_CLEAR) === 0) throw corrupt(name, "a packed entry clears and does not delete");
}

function grown(scratch: Buffer, kept: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(needed, scratch.length * 2));
  scratch.copy(larger, 0, 0, kept);
  return larger;
}

function readIndex(bytes: Buffer, address: SegmentAddress): SegmentIndex {
  const { name } = address;
  const trailer = new ByteReader(bytes, bytes.length - TRAILER_BYTES);
  const footerBytes = trailer.uint32();
  const checksum = trailer.uint32();
  if (trailer.latin1(SEGMENT_MAGIC.length) !== SEGMENT_MAGIC) throw corrupt(name, "it does not end as a segment does");
  const version = trailer.uint8();
  if (knownFlags(version) === undefined) {
    throw new StateBackendError(
      "FORMAT_UNSUPPORTED",
      `Segment of another format version. name=${quoted(name)} version=${version} supported=1 to ${PACKED_VERSION}. Read it with a newer Tidemark.`,
    );
  }
  const footer = bytes.subarray(0, bytes.length - TRAILER_BYTES);
  if (footerBytes !== footer.length || crc32(footer) !== checksum) throw corrupt(name, "its footer fails its checksum");
  const index = { version, ...parseFooter(new ByteReader(footer)) };
  checkIndex(index, address);
  return index;
}

function parseFooter(reader: ByteReader): Omit<SegmentIndex, "version"> {
  const identity = reader.utf8();
  const entries = reader.varint();
  const tombstones = reader.varint();
  const states: StateSummary[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    states.push({
      stateId: reader.uint16(),
      codecVersion: reader.varint(),
      entries: reader.varint(),
      bytes: reader.varint(),
    });
  }
  const groups: GroupIndex[] = [];
  for (let left = reader.varint(); left > 0; left--) groups.push(parseGroup(reader));
  return { identity, entries, tombstones, states, groups };
}

function parseGroup(reader: ByteReader): GroupIndex {
  const group = reader.uint16();
  const offset = reader.varint();
  const entries = reader.varint();
  const blockBytes: number[] = [];
  for (let left = reader.varint(); left > 0; left--) blockBytes.push(reader.varint());
  return { group, offset, entries, blockBytes, sha256: reader.bytes(HASH_BYTES) };
}

/** The groups fill the space between header and footer without a gap, in ascending order. */
function checkIndex(index: SegmentIndex, address: SegmentAddress): void {
  if (index.identity !== address.identity) {
    throw corrupt(address.name, `it is the segment ${quoted(index.identity)} under another name`);
  }
  let end = HEADER_BYTES;
  let previous = -1;
  for (const group of index.groups) {
    if (group.group <= previous || group.offset !== end) throw corrupt(address.name, "its index is out of order");
    previous = group.group;
    end += groupBytes(group);
  }
  if (end !== address.bytes - address.indexBytes) throw corrupt(address.name, "its blocks do not fill it");
}

function corrupt(name: string, what: string, cause?: unknown): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Segment is damaged: ${what}. name=${quoted(name)}. Restore another retained checkpoint, or bring the object back from a copy.`,
    { cause },
  );
}

function unknownFlags(name: string, flag: number): StateBackendError {
  return new StateBackendError(
    "FORMAT_UNSUPPORTED",
    `Entry flags of a newer format. name=${quoted(name)} flags=${flag}. Read it with a newer Tidemark.`,
  );
}
