import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyOfBytes } from "./binary-key.js";
import { murmur3, murmur3OfKey, murmur3OfTerminated, murmur3OfWords, NOT_PLAIN_ASCII } from "./murmur3.js";

/** Published vectors of MurmurHash3 x86 32-bit, seed 0. */
const VECTORS: readonly [hex: string, hash: number][] = [
  ["", 0],
  ["00", 0x514e28b7],
  ["0000", 0x30f4c306],
  ["000000", 0x85f0b427],
  ["00000000", 0x2362f9de],
  ["ffffffff", 0x76293b50],
  ["21", 0x72661cf4],
  ["2143", 0xa0f7b07a],
  ["214365", 0x7e4a8634],
  ["21436587", 0xf55b516b],
  [textHex("a"), 0x3c2569b2],
  [textHex("abc"), 0xb3dd93fa],
  [textHex("test"), 0xba6bd213],
  [textHex("hello"), 0x248bfa47],
  [textHex("Hello, world!"), 0xc0363e43],
  [textHex("The quick brown fox jumps over the lazy dog"), 0x2e4ff723],
];

function textHex(text: string): string {
  return Buffer.from(text, "utf8").toString("hex");
}

describe("murmur3", () => {
  test.each(VECTORS)("the bytes %s have their published hash", (hex, hash) => {
    const bytes = Buffer.from(hex, "hex");
    expect(murmur3(bytes)).toBe(hash);
    expect(murmur3OfKey(keyOfBytes(bytes))).toBe(hash);
  });

  test("the hash does not depend on how the bytes are carried", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        expect(murmur3OfKey(keyOfBytes(bytes))).toBe(murmur3(bytes));
      }),
    );
  });

  test("8 bytes hash alike as two words", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (bytes) => {
        const words = new DataView(bytes.buffer, bytes.byteOffset);
        expect(murmur3OfWords(words.getUint32(0, true), words.getUint32(4, true))).toBe(murmur3(bytes));
      }),
    );
  });

  test("ASCII text hashes as if its terminator stood behind it; other text is left to the caller", () => {
    const characters = fc.constantFrom("a", "z", "\u0001", "\u007f", "\u0000", "\u0080", "é", "日");
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        const isPlain = [...text].every((character) => character >= "\u0001" && character <= "\u007f");
        const expected = isPlain ? murmur3(Buffer.from(`${text}\u0000\u0001`, "latin1")) : NOT_PLAIN_ASCII;
        expect(murmur3OfTerminated(text)).toBe(expected);
      }),
    );
  });
});
