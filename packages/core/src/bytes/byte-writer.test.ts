import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasCode } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/** A write, and the read that mirrors it. */
interface Step {
  readonly name: string;
  readonly value: unknown;
  write(out: ByteWriter): void;
  read(input: ByteReader): unknown;
}

function step<T>(
  name: string,
  values: fc.Arbitrary<T>,
  write: (out: ByteWriter, value: T) => void,
  read: (input: ByteReader, value: T) => unknown,
): fc.Arbitrary<Step> {
  return values.map((value) => ({
    name,
    value,
    write: (out: ByteWriter) => write(out, value),
    read: (input: ByteReader) => read(input, value),
  }));
}

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const text = fc.string({ unit: "binary", maxLength: 60 });

const steps = fc.oneof(
  step(
    "uint8",
    fc.integer({ min: 0, max: 0xff }),
    (out, value) => out.uint8(value),
    (input) => input.uint8(),
  ),
  step(
    "uint16",
    fc.integer({ min: 0, max: 0xffff }),
    (out, value) => out.uint16(value),
    (input) => input.uint16(),
  ),
  step(
    "uint32",
    fc.integer({ min: 0, max: 0xffff_ffff }),
    (out, value) => out.uint32(value),
    (input) => input.uint32(),
  ),
  step(
    "uint64",
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    (out, value) => out.uint64(value),
    (input) => input.uint64(),
  ),
  step(
    "varint",
    fc.maxSafeNat(),
    (out, value) => out.varint(value),
    (input) => input.varint(),
  ),
  step(
    "float64",
    fc.double(),
    (out, value) => out.float64(value),
    (input) => input.float64(),
  ),
  step(
    "latin1",
    latin1,
    (out, value) => out.latin1(value),
    (input, value) => input.latin1(value.length),
  ),
  step(
    "utf8",
    text,
    (out, value) => out.utf8(value),
    (input) => input.utf8(),
  ),
  step(
    "bytes",
    fc.uint8Array({ maxLength: 60 }),
    (out, value) => out.bytes(value),
    (input, value) => input.bytes(value.length),
  ),
);

function written(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter();
  write(out);
  return out.take().toString("hex");
}

describe("ByteWriter", () => {
  test("a reader gets back every sequence of writes", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40 }), (sequence) => {
        const out = new ByteWriter();
        for (const { write } of sequence) write(out);
        const input = new ByteReader(out.take());
        for (const { read, value } of sequence) expect(read(input)).toEqual(value);
        expect(input.remaining).toBe(0);
      }),
    );
  });

  test("numbers are big-endian", () => {
    expect(written((out) => out.uint16(0x0102))).toBe("0102");
    expect(written((out) => out.uint32(0x0102_0304))).toBe("01020304");
    expect(written((out) => out.uint64(0x0102_0304_0506_0708n))).toBe("0102030405060708");
    expect(written((out) => out.uint64(-2n))).toBe("fffffffffffffffe");
    expect(written((out) => out.float64(-2))).toBe("c000000000000000");
  });

  test("a varint is unsigned LEB128 up to the largest safe integer", () => {
    expect(written((out) => out.varint(0))).toBe("00");
    expect(written((out) => out.varint(127))).toBe("7f");
    expect(written((out) => out.varint(128))).toBe("8001");
    expect(written((out) => out.varint(0x7fff_ffff))).toBe("ffffffff07");
    expect(written((out) => out.varint(0x8000_0000))).toBe("8080808008");
    expect(written((out) => out.varint(Number.MAX_SAFE_INTEGER))).toBe("ffffffffffffff0f");
  });

  test("text has its length in bytes in front, on both sides of the loop limit", () => {
    for (const sample of ["", "abc", "é", "日本", "x".repeat(200), "😀".repeat(50), "x".repeat(19) + "é"]) {
      const bytes = Buffer.from(sample, "utf8");
      const out = new ByteWriter();
      out.varint(bytes.length);
      out.bytes(bytes);
      expect(written((other) => other.utf8(sample))).toBe(out.take().toString("hex"));
    }
  });

  test("latin1 begins with the character asked for", () => {
    expect(written((out) => out.latin1("abc", 1))).toBe("6263");
    expect(written((out) => out.latin1(`a${"\u00ff".repeat(30)}`, 1))).toBe("ff".repeat(30));
    expect(written((out) => out.latin1("abc", 3))).toBe("");
  });

  test("ascii refuses other text without a trace", () => {
    const out = new ByteWriter();
    expect(out.ascii("ab")).toBe(true);
    expect(out.ascii("aé")).toBe(false);
    expect(out.take().toString("latin1")).toBe("ab");
  });

  test("a taken buffer has its own memory of exactly its length", () => {
    const out = new ByteWriter();
    out.latin1("first");
    const first = out.take();
    out.latin1("other");
    expect(first.toString("latin1")).toBe("first");
    expect(first.buffer.byteLength).toBe(5);
    expect(out.length).toBe(5);
  });

  test("the buffer grows past its start and past what it keeps", () => {
    const out = new ByteWriter();
    const block = new Uint8Array(700_000).fill(7);
    out.uint8(1);
    out.bytes(block);
    out.bytes(block);
    const taken = out.take();
    expect(taken.length).toBe(1_400_001);
    expect(taken[0]).toBe(1);
    expect(taken.at(-1)).toBe(7);
    out.uint8(2);
    expect(out.take().toString("hex")).toBe("02");
  });

  test("patches, views, truncation and reset see what was written", () => {
    const out = new ByteWriter();
    out.uint32(0);
    out.latin1("abcdef");
    out.patchUint32(0, 0xffff_ffff);
    expect(out.view(0, 5).toString("hex")).toBe("ffffffff61");
    out.truncate(6);
    expect(out.view(4).toString("latin1")).toBe("ab");
    out.reset();
    expect(out.length).toBe(0);
    expect(() => out.view(0, 1)).toThrow("Broken invariant");
    expect(() => out.patchUint32(0, 1)).toThrow("Broken invariant");
    expect(() => out.truncate(1)).toThrow("Broken invariant");
  });

  test("more than 2 GiB is LIMIT_EXCEEDED before anything is allocated", () => {
    const out = new ByteWriter();
    let failure: unknown;
    try {
      out.utf8Content("", 2 ** 31);
    } catch (error) {
      failure = error;
    }
    expect(hasCode(failure, "LIMIT_EXCEEDED")).toBe(true);
    expect(out.length).toBe(0);
  });
});
