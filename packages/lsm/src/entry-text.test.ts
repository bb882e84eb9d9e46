import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { BinaryKey } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { EntryEncoder } from "./entry-encoder.js";
import { openedEntries, openedValue } from "./entry-text.js";
import { NOTHING, registerOfText } from "./seal.js";

const PREFIX = "d";
const KEY = "\0\x01key\xe9\0\x01" as BinaryKey;
/** Version 2, for ever. */
const STORED_KEY = "6400016b6579c3a90001";
const STORED = [
  { what: "ASCII", value: Buffer.from("value"), stored: "76616c7565740c165f2e6a" },
  {
    what: "ASCII with one other byte",
    value: Buffer.from("\xe9 is there", "latin1"),
    stored: "692069732074686572650000016801400c0a35",
  },
  { what: "other bytes", value: Buffer.of(0, 0xff, 0x80), stored: "41502b41620d073c253e" },
];

const encoder = new EntryEncoder(PREFIX, true);

function stored(key: BinaryKey, value: Uint8Array): string {
  return Buffer.from(encoder.value(key, value)).toString();
}

function opened(key: string, text: string): Buffer | undefined {
  return openedValue(registerOfText(NOTHING, PREFIX + key), text);
}

/** Of so many bytes every 130th, beginning with the third, is above 127. */
function withHigh(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (at % 130 === 2 ? 0x80 | at : at & 0x7f)));
}

function hexOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
}

/** Every value with one bit of its stored bytes flipped, as a database gives it. */
function* flipped(bytes: Buffer): Generator<string> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    yield damaged.toString();
  }
}

describe("an entry", () => {
  it.each(STORED)("of $what is as docs/formats.md says", ({ value, stored: expected }) => {
    expect(hexOf(encoder.key(KEY))).toBe(STORED_KEY);
    const bytes = Buffer.from(encoder.value(KEY, value));
    expect(bytes.toString("hex")).toBe(expected);
    expect(crc32(Buffer.from(PREFIX + KEY + bytes.toString(), "latin1"))).toBe(0);
    expect(hexOf(opened(KEY, bytes.toString()))).toBe(hexOf(value));
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 63, 64, 65, 255, 256, 257, 1_023, 1_024, 1_025, 100_000])(
    "of %i bytes comes back, alone and among others",
    (length) => {
      for (const value of [
        Buffer.alloc(length, "a"),
        randomBytes(length),
        Buffer.alloc(length, 0xff),
        withHigh(length),
      ]) {
        for (const key of ["\0\0", KEY, `\0\0${"\xff".repeat(length)}`] as BinaryKey[]) {
          const text = stored(key, value);
          const storedKey = Buffer.from(encoder.key(key)).toString();
          expect(storedKey).toBe(PREFIX + key);
          expect(hexOf(opened(key, text))).toBe(hexOf(value));
          const rows = [[storedKey, text] as const, [PREFIX + KEY, stored(KEY, value)] as const];
          const entries = openedEntries(rows, PREFIX.length);
          expect(entries?.map((entry) => [entry.key, hexOf(entry.value)])).toEqual([
            [key, hexOf(value)],
            [KEY, hexOf(value)],
          ]);
        }
      }
    },
  );

  it("is under no other key, alone and among others", () => {
    const text = stored(KEY, Buffer.from("value"));
    const other = `${KEY}.`;
    expect(opened(other, text)).toBeUndefined();
    const row = [PREFIX + KEY, text] as const;
    expect(openedEntries([row, [PREFIX + other, text], row], 1)).toBeUndefined();
    const swapped = stored(other as BinaryKey, Buffer.from("other"));
    expect(openedEntries([[PREFIX + KEY, swapped] as const, [PREFIX + other, text] as const], 1)).toBeUndefined();
  });

  it.each([...STORED, { what: "many bytes", value: randomBytes(300) }, { what: "nothing", value: Buffer.alloc(0) }])(
    "of $what is not taken if a bit of it or of its key has changed, or its end is missing",
    ({ value }) => {
      const text = stored(KEY, value);
      const row = [PREFIX + KEY, text] as const;
      for (const damaged of flipped(Buffer.from(text))) {
        expect(opened(KEY, damaged)).toBeUndefined();
        expect(openedEntries([row, [PREFIX + KEY, damaged], row], 1)).toBeUndefined();
      }
      for (const damaged of flipped(Buffer.from(PREFIX + KEY))) {
        expect(openedEntries([row, [damaged, text], row], 1)).toBeUndefined();
      }
      for (let length = 0; length < text.length; length++) {
        expect(opened(KEY, text.slice(0, length))).toBeUndefined();
        expect(openedEntries([row, [PREFIX + KEY, text.slice(0, length)], row], 1)).toBeUndefined();
      }
    },
  );

  it("of no bytes but characters is not taken, though their low bits are right", () => {
    const text = stored(KEY, Buffer.from("value"));
    for (let at = 0; at < text.length; at++) {
      const high = String.fromCharCode(text.charCodeAt(at) + 0x100);
      const damaged = text.slice(0, at) + high + text.slice(at + 1);
      expect(opened(KEY, damaged)).toBeUndefined();
      expect(openedEntries([[PREFIX + KEY, damaged]], 1)).toBeUndefined();
    }
  });
});

describe("a seal", () => {
  it("is ASCII, whatever it seals", () => {
    for (let index = 0; index < 10_000; index++) {
      const bytes = encoder.value(String(index) as BinaryKey, Buffer.from(String(index * 7)));
      expect(bytes.every((byte) => byte < 0x80)).toBe(true);
      expect(crc32(Buffer.concat([Buffer.from(PREFIX + String(index)), bytes]))).toBe(0);
    }
  });
});
