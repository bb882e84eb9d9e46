import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { addressOf, keyIn, type MadeSegment, readSegment, segmentOf } from "../../test/support/entries.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { memoryStorage } from "../storage/memory-storage.js";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_PACKED } from "./entry-block.js";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_RAW_BYTES_MAX,
  blockChecksum,
  CHECKSUM_OFFSET,
  checksumSeed,
  HEADER_BYTES,
  SEGMENT_MAGIC,
  TRAILER_BYTES,
} from "./format.js";
import { SegmentReader, type SegmentAddress } from "./segment-reader.js";

const ENTRIES = [
  { key: keyIn(0, 1, "key"), flags: 0, value: "value" },
  { key: keyIn(0, 1, "keys"), flags: FLAG_DELETE, value: "" },
  { key: keyIn(1, 1, "k"), flags: FLAG_CLEAR, value: "x".repeat(60) },
];
const CORRUPT = { code: "CHECKPOINT_CORRUPT", retryable: false };
const UNSUPPORTED = { code: "FORMAT_UNSUPPORTED", retryable: false };

async function read(bytes: Uint8Array, address: SegmentAddress): Promise<unknown> {
  const storage = memoryStorage();
  await storage.put(address.name, bytes);
  return readSegment(storage, address);
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return damaged;
}

describe.each(["none", "deflate"] as const)("damage of a segment, compression %s", (compression) => {
  const made = segmentOf(ENTRIES, "segment", compression);
  const address = addressOf(made);

  test("T27 any one bit that flips behind the header is found", async () => {
    for (let bit = HEADER_BYTES * 8; bit < made.bytes.length * 8; bit++) {
      await expect(read(flipped(made.bytes, bit), address), `bit ${bit}`).rejects.toMatchObject(CORRUPT);
    }
  });

  test("any one bit that flips in the header is found", async () => {
    for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
      await expect(read(flipped(made.bytes, bit), address), `bit ${bit}`).rejects.toThrow();
    }
  });

  test("a segment that is cut off anywhere is found", async () => {
    for (let length = 0; length < made.bytes.length; length++) {
      const cut = made.bytes.subarray(0, length);
      await expect(read(cut, address), `length ${length}`).rejects.toMatchObject(CORRUPT);
    }
  });

  test("a segment whose beginning is missing is found", async () => {
    await expect(read(made.bytes.subarray(1), address)).rejects.toMatchObject(CORRUPT);
  });

  test("a missing segment is found", async () => {
    await expect(readSegment(memoryStorage(), address)).rejects.toMatchObject(CORRUPT);
  });

  test("a segment in the place of another is found, whatever its manifest says", async () => {
    const other = segmentOf(ENTRIES, "other", compression);
    await expect(read(other.bytes, address)).rejects.toMatchObject(CORRUPT);
    await expect(
      read(other.bytes, { ...addressOf(other), name: "segment", identity: "segment" }),
    ).rejects.toMatchObject(CORRUPT);
  });

  test.each([
    [0, 0],
    [10, 0],
    [-1, 16],
    [2 ** 50, 2 ** 49],
  ])("lengths %i and %i in the manifest are refused without allocating", async (bytes, indexBytes) => {
    await expect(read(made.bytes, { ...address, bytes, indexBytes })).rejects.toMatchObject(CORRUPT);
  });
});

interface Forgery {
  readonly block?: Buffer;
  readonly compression?: number;
  readonly rawBytes?: number;
  readonly storedBytes?: number;
  readonly version?: number;
  readonly magic?: string;
  readonly identity?: string;
  readonly footerBytes?: number;
  readonly offset?: number;
  readonly group?: number;
  readonly entries?: number;
  /** In the place of the counts of states and of key groups. */
  readonly states?: number;
  readonly groups?: number;
  readonly blocks?: number;
}

/** A segment of one block with every checksum right, whatever it claims. */
function forge(forgery: Forgery): { readonly bytes: Buffer; readonly address: SegmentAddress } {
  const content = forgery.block ?? rawEntry({});
  const seed = checksumSeed("segment");
  const block = Buffer.alloc(BLOCK_HEADER_BYTES + content.length);
  block.writeUInt32BE(forgery.storedBytes ?? content.length, 0);
  block.writeUInt32BE(forgery.rawBytes ?? content.length, 4);
  block.writeUInt8(forgery.compression ?? 0, 8);
  content.copy(block, BLOCK_HEADER_BYTES);
  block.writeUInt32BE(blockChecksum(seed, HEADER_BYTES, block), CHECKSUM_OFFSET);
  const footer = new ByteWriter();
  footer.utf8(forgery.identity ?? "segment");
  footer.varint(1);
  footer.varint(0);
  footer.varint(forgery.states ?? 0);
  footer.varint(forgery.groups ?? 1);
  footer.uint16(forgery.group ?? 0);
  footer.varint(forgery.offset ?? HEADER_BYTES);
  footer.varint(forgery.entries ?? 1);
  footer.varint(forgery.blocks ?? 1);
  footer.varint(block.length);
  footer.bytes(createHash("sha256").update(block).digest());
  const trailer = new ByteWriter();
  trailer.uint32(forgery.footerBytes ?? footer.length);
  trailer.uint32(crc32(footer.view()));
  trailer.latin1(forgery.magic ?? SEGMENT_MAGIC);
  trailer.uint8(forgery.version ?? 1);
  const index = Buffer.concat([footer.view(), trailer.view()]);
  const bytes = Buffer.concat([Buffer.from(`${SEGMENT_MAGIC}\x01`), block, index]);
  const indexSha256 = createHash("sha256").update(index).digest("hex");
  return {
    bytes,
    address: { name: "segment", identity: "segment", bytes: bytes.length, indexBytes: index.length, indexSha256 },
  };
}

function rawEntry({ shared = 0, suffix = 5, flags = 0, valueBytes = 1, group = 0, value = "v" }): Buffer {
  const out = new ByteWriter();
  out.varint(shared);
  out.varint(suffix);
  out.uint8(flags);
  out.varint(valueBytes);
  out.latin1(keyIn(group, 1, "k"));
  out.latin1(value);
  return out.take();
}

const readForged = (forgery: Forgery): Promise<unknown> => {
  const { bytes, address } = forge(forgery);
  return read(bytes, address);
};

describe("a segment with right checksums and wrong content", () => {
  test("is read if nothing is wrong with it", async () => {
    expect(await readForged({})).toEqual([{ key: keyIn(0, 1, "k"), flags: 0, value: "v" }]);
  });

  test.each([
    ["an unknown version", { version: 3 }],
    ["version 0", { version: 0 }],
    ["an unknown compression", { compression: 2 }],
    ["unknown flags", { block: rawEntry({ flags: 16 }) }],
    ["flags of another version", { block: rawEntry({ flags: FLAG_CLEAR | FLAG_PACKED }) }],
    ["unknown flags of version 2", { version: 2, block: rawEntry({ flags: 26 }) }],
    ["unknown flags among known ones", { block: rawEntry({ flags: 0x83, valueBytes: 0, value: "" }) }],
  ])("%s is FORMAT_UNSUPPORTED", async (_what, forgery: Forgery) => {
    await expect(readForged(forgery)).rejects.toMatchObject(UNSUPPORTED);
  });

  test.each<[string, Forgery]>([
    ["another magic", { magic: "TIDESEH" }],
    ["another identity", { identity: "other" }],
    ["a footer length that is too large", { footerBytes: 0xffff_ffff }],
    ["a footer length that is too small", { footerBytes: 1 }],
    ["a block that begins elsewhere", { offset: HEADER_BYTES + 1 }],
    ["a huge offset", { offset: 2 ** 52 }],
    ["entries of another key group", { group: 1 }],
    ["another number of entries", { entries: 2 }],
    ["a huge number of states", { states: 2 ** 52 }],
    ["a huge number of key groups", { groups: 2 ** 52 }],
    ["a huge number of blocks", { blocks: 2 ** 52 }],
    ["no key groups", { groups: 0 }],
    ["a huge length of the stored block", { storedBytes: 0xffff_ffff }],
    ["a huge length of the raw block", { rawBytes: 0xffff_ffff }],
    ["the largest length of the raw block", { rawBytes: BLOCK_RAW_BYTES_MAX }],
    ["the largest length of a compressed block", { rawBytes: BLOCK_RAW_BYTES_MAX, compression: 1 }],
    ["a key that is longer than its block", { block: rawEntry({ suffix: 2 ** 40 }) }],
    ["a key that shares more than there is", { block: rawEntry({ shared: 2 ** 40 }) }],
    ["a value that is longer than its block", { block: rawEntry({ valueBytes: 2 ** 40 }) }],
    ["a key without a state", { block: Buffer.from([0, 3, 0, 0, 0, 0, 1]) }],
    ["a packed entry without a clear", { version: 2, block: rawEntry({ flags: FLAG_PACKED }) }],
    [
      "a packed entry that deletes",
      { version: 2, block: rawEntry({ flags: FLAG_PACKED | FLAG_CLEAR | FLAG_DELETE, valueBytes: 0, value: "" }) },
    ],
    ["a deletion with a value", { block: rawEntry({ flags: FLAG_DELETE }) }],
    ["two equal keys", { block: Buffer.concat([rawEntry({}), rawEntry({})]), entries: 2 }],
    ["bytes behind the last entry", { block: Buffer.concat([rawEntry({}), Buffer.from([0])]) }],
    ["a block that is no deflate stream", { compression: 1 }],
    [
      "a compressed block that is longer than it claims",
      { block: deflateRawSync(rawEntry({})), compression: 1, rawBytes: 3 },
    ],
    [
      "a compressed block that is shorter than it claims",
      { block: deflateRawSync(rawEntry({})), compression: 1, rawBytes: 99 },
    ],
    ["a bomb", { block: deflateRawSync(Buffer.alloc(50_000_000)), compression: 1, rawBytes: 100 }],
  ])("%s is CHECKPOINT_CORRUPT, without much memory", async (_what, forgery) => {
    const forged = forge(forgery);
    const before = process.memoryUsage();
    await expect(read(forged.bytes, forged.address)).rejects.toMatchObject(CORRUPT);
    const after = process.memoryUsage();
    const grownBytes = after.arrayBuffers - before.arrayBuffers + after.heapUsed - before.heapUsed;
    expect(grownBytes).toBeLessThan(64 * 1024 * 1024);
  });

  test("an index that is nothing but a trailer is CHECKPOINT_CORRUPT", async () => {
    const { bytes, address } = forge({});
    const index = bytes.subarray(bytes.length - TRAILER_BYTES);
    const indexSha256 = createHash("sha256").update(index).digest("hex");
    await expect(read(bytes, { ...address, indexBytes: TRAILER_BYTES, indexSha256 })).rejects.toMatchObject(CORRUPT);
  });
});

describe("blocks that were moved", () => {
  const value = (letter: string): string => letter.repeat(BLOCK_BYTES);
  const BLOCK_BYTES = 40_000;
  const entries = ["a", "b", "c"].map((key) => ({ key: keyIn(0, 0, key), flags: 0, value: value(key) }));

  async function blocksOfSegment(made: MadeSegment): Promise<Buffer[]> {
    const storage = memoryStorage();
    await storage.put("segment", made.bytes);
    const { index } = await SegmentReader.open(storage, addressOf(made));
    const lengths = index.groups[0]?.blockBytes ?? [];
    let at = HEADER_BYTES;
    return lengths.map((length) => made.bytes.subarray(at, (at += length)));
  }

  test("two blocks of equal length in each other's place are found", async () => {
    const made = segmentOf(entries);
    const blocks = await blocksOfSegment(made);
    expect(new Set(blocks.map(({ length }) => length)).size).toBe(1);
    const [first, second, third] = blocks as [Buffer, Buffer, Buffer];
    const rest = made.bytes.subarray(HEADER_BYTES + 3 * first.length);
    const swapped = Buffer.concat([made.bytes.subarray(0, HEADER_BYTES), second, first, third, rest]);
    await expect(read(swapped, addressOf(made))).rejects.toMatchObject(CORRUPT);
  });

  test("a block of another segment in the same place is found", async () => {
    const made = segmentOf(entries);
    const other = segmentOf(entries.map((entry) => ({ ...entry, value: value("z") })));
    const mixed = Buffer.concat([other.bytes.subarray(0, HEADER_BYTES + 100), made.bytes.subarray(HEADER_BYTES + 100)]);
    await expect(read(mixed, addressOf(made))).rejects.toMatchObject(CORRUPT);
    const [block] = await blocksOfSegment(other);
    const spliced = Buffer.concat([made.bytes.subarray(0, HEADER_BYTES), block as Buffer]);
    const whole = Buffer.concat([spliced, made.bytes.subarray(spliced.length)]);
    await expect(read(whole, addressOf(made))).rejects.toMatchObject(CORRUPT);
  });
});
