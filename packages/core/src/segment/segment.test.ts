import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressOf,
  ALL_GROUPS,
  entriesOf,
  keyIn,
  type PlainEntry,
  readSegment,
  segmentOf,
} from "../../test/support/entries.js";
import { RecordingStorage } from "../../test/support/recording-storage.js";
import { KeyGroups } from "../key/key-groups.js";
import { memoryStorage } from "../storage/memory-storage.js";
import { FLAG_CLEAR, FLAG_DELETE } from "./entry-block.js";
import { BLOCK_TARGET_BYTES, type Compression, groupBytes, HEADER_BYTES } from "./format.js";
import { SegmentReader } from "./segment-reader.js";

const suffixes = fc.string({ unit: fc.constantFrom("\0", "a", "b", "\u00ff"), maxLength: 5 });
const groups = fc.constantFrom(0, 1, 2, 255, 256, 0x7fff, 0xffff);
const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.nat(12) },
  { weight: 1, arbitrary: fc.integer({ min: BLOCK_TARGET_BYTES - 24, max: BLOCK_TARGET_BYTES + 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(127, 128, 9_000, 16_384, 70_000) },
);
const entries: fc.Arbitrary<readonly PlainEntry[]> = fc
  .uniqueArray(
    fc.record({
      key: fc.tuple(groups, fc.constantFrom(0, 1, 0xffff), suffixes).map((parts) => keyIn(...parts)),
      flags: fc.constantFrom(0, 0, 0, FLAG_DELETE, FLAG_CLEAR, FLAG_DELETE | FLAG_CLEAR),
      length: lengths,
      fill: fc.constantFrom("x", "\0", "\u00ff"),
      noise: fc.string({ unit: "binary-ascii", maxLength: 20 }),
    }),
    { selector: ({ key }) => key, maxLength: 40 },
  )
  .map((drawn) => {
    const sorted = drawn.sort((a, b) => (a.key < b.key ? -1 : 1));
    return sorted.map(({ key, flags, length, fill, noise }) => {
      const value = (flags & FLAG_DELETE) === 0 ? noise.padEnd(length, fill).slice(0, length) : "";
      return { key, flags, value };
    });
  });
const compressions = fc.constantFrom<Compression>("none", "deflate");

describe("a segment", () => {
  test("gives back every entry that was written, and counts them truly", async () => {
    const property = fc.asyncProperty(entries, compressions, async (given, compression) => {
      const made = segmentOf(given, "a/name", compression);
      const storage = memoryStorage();
      await storage.put("a/name", made.bytes);
      expect(await readSegment(storage, addressOf(made, "a/name"))).toEqual(given);
      const { index } = await SegmentReader.open(storage, addressOf(made, "a/name"));
      expect(made.written.bytes).toBe(made.bytes.length);
      expect(index.entries).toBe(given.length);
      expect(index.tombstones).toBe(given.filter(({ flags }) => (flags & FLAG_DELETE) !== 0).length);
      expect(made.written.tombstones).toBe(index.tombstones);
      expect(index.states).toEqual(made.written.states);
      const counts = index.groups.map((group) => ({
        group: group.group,
        bytes: groupBytes(group),
        entries: group.entries,
      }));
      expect(made.written.groups).toEqual(counts);
      const contentBytes = given.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
      expect(index.states.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(contentBytes);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test("has the same bytes when it is written again, and others under another name", () => {
    const property = fc.property(entries, compressions, (given, compression) => {
      const { bytes } = segmentOf(given, "one", compression);
      expect(segmentOf(given, "one", compression).bytes.equals(bytes)).toBe(true);
      expect(segmentOf(given, "two", compression).bytes.equals(bytes)).toBe(false);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test("without entries can be read", async () => {
    const storage = memoryStorage();
    const made = segmentOf([]);
    await storage.put("segment", made.bytes);
    expect(await readSegment(storage, addressOf(made))).toEqual([]);
    expect(made.written.groups).toEqual([]);
  });

  test("keeps an entry whose value is much longer than a block", async () => {
    const storage = memoryStorage();
    const given = [
      { key: keyIn(0, 1, "a"), flags: 0, value: "x".repeat(3_000_000) },
      { key: keyIn(0, 1, "b"), flags: 0, value: "y" },
    ];
    const made = segmentOf(given);
    await storage.put("segment", made.bytes);
    expect((await readSegment(storage, addressOf(made))).map(({ value }) => value.length)).toEqual([3_000_000, 1]);
  });

  test("keeps keys longer than the reader's first buffer that share long beginnings", async () => {
    const storage = memoryStorage();
    const given = [100, 255, 256, 257, 5000, 5001].map((length) => ({
      key: keyIn(3, 1, "k".repeat(length)),
      flags: 0,
      value: `${length}`,
    }));
    const made = segmentOf(given);
    await storage.put("segment", made.bytes);
    expect(await readSegment(storage, addressOf(made))).toEqual(given);
  });

  test("says the codec version of each state, 1 where none is given", () => {
    const given = [1, 2].map((state) => ({ key: keyIn(0, state, ""), flags: 0, value: "v" }));
    expect(segmentOf(given).written.states.map(({ codecVersion }) => codecVersion)).toEqual([7, 1]);
  });

  test("T114 is compressed only where that saves space", () => {
    const one = [{ key: keyIn(0, 0, "k"), flags: 0, value: "v" }];
    expect(segmentOf(one, "s", "deflate").bytes.equals(segmentOf(one, "s", "none").bytes)).toBe(true);
    const many = [{ key: keyIn(0, 0, "k"), flags: 0, value: "v".repeat(10_000) }];
    expect(segmentOf(many, "s", "deflate").bytes.length).toBeLessThan(500);
  });

  test.each(["b", "a"])("refuses a key that does not ascend, here %s after b", (key) => {
    const given = ["b", key].map((rest) => ({ key: keyIn(0, 0, rest), flags: 0, value: "" }));
    if (key === "b") expect(() => segmentOf(given)).toThrow("Broken invariant");
    else {
      expect(() => segmentOf([given[0] as PlainEntry, { ...(given[1] as PlainEntry), key: keyIn(0, 0, "") }])).toThrow(
        "Broken",
      );
    }
  });
});

describe("T112 reading some key groups of a segment", () => {
  const given = [0, 1, 2, 5, 9].flatMap((group) =>
    Array.from({ length: 30 }, (_, i) => ({
      key: keyIn(group, 1, String(i).padStart(3, "0")),
      flags: 0,
      value: `${group}`.repeat(5000),
    })),
  );
  const subsets = fc.subarray([0, 1, 2, 3, 5, 9, 100]);

  test("gives just their entries and fetches just their bytes", async () => {
    const made = segmentOf(given);
    const inner = memoryStorage();
    await inner.put("segment", made.bytes);
    const property = fc.asyncProperty(subsets, async (wanted) => {
      const storage = new RecordingStorage(inner);
      const chosen = KeyGroups.of(wanted.map((group) => ({ first: group, last: group })));
      const reader = await SegmentReader.open(storage, addressOf(made));
      const found = await entriesOf(reader.entries(chosen));
      expect(found).toEqual(given.filter(({ key }) => wanted.includes(key.charCodeAt(1))));
      const [index, ...blocks] = storage.gets.map(({ range }) => range ?? { start: 0, end: -1 });
      expect(index).toEqual({ start: made.bytes.length - made.written.indexBytes, end: made.bytes.length });
      const visible = reader.index.groups.filter(({ group }) => wanted.includes(group));
      // The header comes along with the first block of all.
      const header = visible.some(({ offset }) => offset === HEADER_BYTES) ? HEADER_BYTES : 0;
      expect(blocks.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(
        visible.reduce((sum, group) => sum + groupBytes(group), header),
      );
      for (const { start, end } of blocks) {
        const isOneRun = start === 0 || visible.some(({ offset }) => offset <= start);
        expect(isOneRun && end <= made.bytes.length).toBe(true);
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("fetches adjacent blocks together, up to a mebibyte", async () => {
    const made = segmentOf(given);
    const storage = new RecordingStorage(memoryStorage());
    await storage.put("segment", made.bytes);
    await readSegment(storage, addressOf(made), ALL_GROUPS);
    expect(storage.gets).toHaveLength(2);
  });

  test("looks at no damage in the others", async () => {
    const made = segmentOf(given);
    const damaged = Buffer.from(made.bytes);
    damaged.fill(0, HEADER_BYTES, HEADER_BYTES + 1000);
    const storage = memoryStorage();
    await storage.put("segment", damaged);
    const address = addressOf(made);
    expect(await readSegment(storage, address, KeyGroups.of([{ first: 1, last: 9 }]))).toHaveLength(120);
    await expect(readSegment(storage, address)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });
});
