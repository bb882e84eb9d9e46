import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasCode } from "../errors.js";
import { ByteReader } from "./byte-reader.js";

const READS: Record<string, (input: ByteReader, length: number) => unknown> = {
  uint8: (input) => input.uint8(),
  uint16: (input) => input.uint16(),
  uint32: (input) => input.uint32(),
  uint64: (input) => input.uint64(),
  float64: (input) => input.float64(),
  varint: (input) => input.varint(),
  utf8: (input) => input.utf8(),
  latin1: (input, length) => input.latin1(length),
  bytes: (input, length) => input.bytes(length),
  view: (input, length) => input.view(length),
  utf8Content: (input, length) => input.utf8Content(length),
};

function isCorrupt(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (hasCode(error, "CHECKPOINT_CORRUPT")) return true;
    throw error;
  }
}

function readerOf(hex: string): ByteReader {
  return new ByteReader(Buffer.from(hex, "hex"));
}

describe("ByteReader", () => {
  test.each(Object.keys(READS))("%s of arbitrary bytes stays in range or is CHECKPOINT_CORRUPT", (name) => {
    const read = READS[name] as (input: ByteReader, length: number) => unknown;
    const lengths = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom(2 ** 31, 2 ** 53, Number.NaN, 0.5));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), lengths, (bytes, length) => {
        const input = new ByteReader(bytes);
        const isRefused = isCorrupt(() => read(input, length));
        expect(input.position).toBeLessThanOrEqual(input.end);
        if (name === "bytes" || name === "latin1") expect(isRefused).toBe(!(length >= 0 && length <= bytes.length));
      }),
    );
  });

  test("a claimed length is checked before it is allocated", () => {
    for (const length of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, Number.NaN, -1]) {
      expect(isCorrupt(() => readerOf("0102").bytes(length))).toBe(true);
      expect(isCorrupt(() => readerOf("0102").latin1(length))).toBe(true);
    }
    expect(isCorrupt(() => readerOf("ffffffffffffff0f").utf8())).toBe(true);
  });

  test("a varint over the safe integers, without end, or with needless bytes is refused", () => {
    for (const hex of ["ffffffffffffff1f", "8080808080808010", "ffffffffffffffffff01", "80", "8000", "ff8000", ""]) {
      expect(isCorrupt(() => readerOf(hex).varint())).toBe(true);
    }
  });

  test("text that is not UTF-8 is refused, the replacement character itself is not", () => {
    for (const hex of ["01ff", "02c080", "03eda080", "02e697", "04f8888080"]) {
      expect(isCorrupt(() => readerOf(hex).utf8())).toBe(true);
    }
    expect(readerOf("03efbfbd").utf8()).toBe("\uFFFD");
    expect(readerOf("03efbbbf").utf8()).toBe("\uFEFF");
  });

  test("nothing outside the range is read", () => {
    const source = Buffer.from("0102030405", "hex");
    const input = new ByteReader(source, 1, 3);
    expect(input.remaining).toBe(2);
    expect(isCorrupt(() => input.uint32())).toBe(true);
    expect(input.uint16()).toBe(0x0203);
    expect(isCorrupt(() => input.uint8())).toBe(true);
    input.reset(source, 4, 5);
    expect([input.position, input.end, input.uint8()]).toEqual([4, 5, 5]);
    expect(() => input.reset(source, 4, 6)).toThrow("Broken invariant");
  });

  test("a reader can be pointed at a view with an offset", () => {
    const memory = new Uint8Array([9, 9, 65, 66, 67, 9]);
    const input = new ByteReader(new Uint8Array(1));
    input.reset(memory.subarray(2, 5));
    expect(input.latin1(3)).toBe("ABC");
  });

  test("bytes are a copy, a view is not", () => {
    const source = new Uint8Array([1, 2, 3, 4]);
    const input = new ByteReader(source);
    const copy = input.bytes(2);
    const view = input.view(2);
    source.fill(9);
    expect([...copy]).toEqual([1, 2]);
    expect([...view]).toEqual([9, 9]);
    expect(copy.buffer.byteLength).toBe(2);
    expect(Buffer.isBuffer(copy)).toBe(false);
  });
});
