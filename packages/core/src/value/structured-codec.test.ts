import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { structuredValues } from "../../test/structured-values.js";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { hasCode } from "../errors.js";
import { reversedElements } from "./extension.js";
import { handOut, ownValue } from "./own.js";
import { structured } from "./structured-codec.js";

const codec = structured<unknown>();

function encode(value: unknown): Buffer {
  const out = new ByteWriter();
  codec.write(codec.own(value), out);
  return out.take();
}

function decode(bytes: Uint8Array): unknown {
  return codec.read(new ByteReader(bytes));
}

function isCorrupt(bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return false;
  } catch (error) {
    if (hasCode(error, "CHECKPOINT_CORRUPT")) return true;
    throw error;
  }
}

function isOwned(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].flat().every(isOwned);
  if (value instanceof Set) return [...(value as Set<unknown>)].every(isOwned);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date) return true;
  return Object.isFrozen(value) && Object.values(value).every(isOwned);
}

describe("the structured codec", () => {
  test("T113 every value comes back equal, with its types", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const decoded = decode(encode(value));
        if (!isDeepStrictEqual(decoded, ownValue(value))) expect(decoded).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test("equal values have equal bytes, also after a round trip", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const bytes = encode(value);
        expect(encode(decode(bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  test("what is read is owned: frozen, and not open to its readers", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const decoded = decode(encode(value));
        expect(isOwned(decoded)).toBe(true);
        expect(handOut(decoded) === decoded).toBe(handOut(ownValue(value)) === ownValue(value));
      }),
    );
    const inner = decode(encode({ plain: [1], list: [{ when: new Date(1) }] })) as Record<string, object>;
    expect(handOut(inner)).not.toBe(inner);
    expect(handOut(inner.list)).not.toBe(inner.list);
    expect(handOut(inner.plain)).toBe(inner.plain);
  });

  test.each<[unknown, string]>([
    [null, "c0"],
    [false, "c2"],
    [true, "c3"],
    [0, "00"],
    [127, "7f"],
    [128, "cc80"],
    [256, "cd0100"],
    [65_536, "ce00010000"],
    [2 ** 32, "cf0000000100000000"],
    [Number.MAX_SAFE_INTEGER, "cf001fffffffffffff"],
    [-1, "ff"],
    [-32, "e0"],
    [-33, "d0df"],
    [-129, "d1ff7f"],
    [-32_769, "d2ffff7fff"],
    [-2_147_483_649, "d3ffffffff7fffffff"],
    [Number.MIN_SAFE_INTEGER, "d3ffe0000000000001"],
    [-0, "cb8000000000000000"],
    [0.5, "cb3fe0000000000000"],
    [2 ** 53, "cb4340000000000000"],
    [Number.NaN, "cb7ff8000000000000"],
    [Number.NEGATIVE_INFINITY, "cbfff0000000000000"],
    ["", "a0"],
    ["aé", "a361c3a9"],
    ["é".repeat(16), `d920${"c3a9".repeat(16)}`],
    ["x".repeat(31), `bf${"78".repeat(31)}`],
    ["x".repeat(256), `da0100${"78".repeat(256)}`],
    [new Uint8Array([1, 2]), "c4020102"],
    [[], "90"],
    [[1, [2]], "92019102"],
    [new Array(16).fill(0), `dc0010${"00".repeat(16)}`],
    [{}, "80"],
    [{ b: 1, a: { c: 2 } }, "82a16201a16181a16302"],
    [[undefined], "91c70001"],
    [0n, "d40200"],
    [127n, "d4027f"],
    [128n, "d5020080"],
    [-1n, "d402ff"],
    [-128n, "d40280"],
    [-129n, "d502ff7f"],
    [1n << 64n, "c70902010000000000000000"],
    [new Date(1_000), "d703408f400000000000"],
    [new Date(Number.NaN), "d7037ff8000000000000"],
    [
      new Map<unknown, unknown>([
        ["a", 1],
        [2, null],
      ]),
      "c90000000604" + "94a1610102c0",
    ],
    [new Set(["a"]), "c9000000030591a161"],
    [Object.assign(Object.create(null), { a: 1 }), "c9000000040681a16101"],
    [new Uint8Array([1, 2, 3]).buffer, "c70307010203"],
    [new DataView(new Uint8Array([1]).buffer), "d40801"],
    [new Int8Array([-1]), "d410ff"],
    [new Uint8ClampedArray([255]), "d411ff"],
    [new Int16Array([-2]), "d512feff"],
    [new Uint16Array([1]), "d5130100"],
    [new Int32Array([1]), "d61401000000"],
    [new Uint32Array([1]), "d61501000000"],
    [new Float32Array([1]), "d6160000803f"],
    [new Float64Array([1]), "d717000000000000f03f"],
    [new BigInt64Array([-2n]), "d718feffffffffffffff"],
    [new BigUint64Array([1n, 2n]), "d81901000000000000000200000000000000"],
  ])("the encoding of %o is written down", (value, hex) => {
    expect(encode(value).toString("hex")).toBe(hex);
    expect(decode(Buffer.from(hex, "hex"))).toStrictEqual(value);
  });

  test("lengths on both sides of every header form come back", () => {
    for (const length of [15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]) {
      const text = "x".repeat(length);
      const bytes = new Uint8Array(length).fill(7);
      const list = new Array<number>(length).fill(1);
      const object = Object.fromEntries(list.map((one, index) => [`k${index}`, one]));
      for (const value of [text, bytes, list, object, new Int8Array(bytes), new Map(Object.entries(object))]) {
        expect(isDeepStrictEqual(decode(encode(value)), value)).toBe(true);
      }
    }
  });

  test("a Buffer comes back as Uint8Array, and shared references as equal objects", () => {
    expect(decode(encode(Buffer.from("ab")))).toStrictEqual(new Uint8Array([97, 98]));
    const shared = { a: 1 };
    expect(decode(encode([shared, shared]))).toStrictEqual([shared, shared]);
  });

  test("objects keep their order, and keep names that objects inherit", () => {
    const value = { z: 1, a: 2, constructor: 3, toString: 4, "": 5 };
    expect(Object.keys(decode(encode(value)) as object)).toEqual(Object.keys(value));
    expect(({} as Record<string, unknown>).z).toBeUndefined();
  });

  test("names that share a place in the cache are kept apart", () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `field-${index}`);
    const value = Object.fromEntries(names.map((name, index) => [name, `v${index}`]));
    for (let round = 0; round < 2; round++) expect(decode(encode(value))).toStrictEqual(value);
  });

  test("longer forms than ours are read", () => {
    for (const hex of ["cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005", "d10005", "d200000005"]) {
      expect(decode(Buffer.from(hex, "hex"))).toBe(5);
    }
    expect(decode(Buffer.from("db0000000161", "hex"))).toBe("a");
    expect(decode(Buffer.from("dd0000000101", "hex"))).toEqual([1]);
    expect(decode(Buffer.from("df00000001d9016101", "hex"))).toEqual({ a: 1 });
    expect(decode(Buffer.from("c9000000010205", "hex"))).toBe(5n);
  });

  test("typed arrays are little-endian, whatever the machine", () => {
    expect([...reversedElements(new Uint8Array([1, 2, 3, 4]), 2)]).toEqual([2, 1, 4, 3]);
    expect([...reversedElements(new Uint8Array([1, 2, 3, 4]), 4)]).toEqual([4, 3, 2, 1]);
  });
});

describe("the decoder of structured values", () => {
  test.each([
    ["nothing", ""],
    ["an unused type", "c1"],
    ["a float32", "ca3f800000"],
    ["two values", "0101"],
    ["undefined alone", "c70001"],
    ["an unsafe integer", "cf0020000000000000"],
    ["an unsafe negative integer", "d3ffe0000000000000"],
    ["text that is not UTF-8", "a1ff"],
    ["text that is cut short", "a261"],
    ["a claimed array of 2^32-1", "ddffffffff"],
    ["a claimed object of 2^32-1", "dfffffffff"],
    ["claimed bytes of 2^32-1", "c6ffffffff"],
    ["claimed text of 2^32-1", "dbffffffff"],
    ["a claimed extension of 2^32-1", "c9ffffffff10"],
    ["an object with a property twice", "82a16101a16102"],
    ["an object with __proto__", `81a9${Buffer.from("__proto__").toString("hex")}01`],
    ["an object with a number as key", "810101"],
    ["an unknown extension", "d45000"],
    ["a MessagePack timestamp", "d6ff00000000"],
    ["undefined with content", "91d40100"],
    ["a bigint without bytes", "c70002"],
    ["a bigint with a needless 00", "d5020001"],
    ["a bigint with a needless ff", "d502ff80"],
    ["a date out of range", "d7037fefffffffffffff"],
    ["a date with part of a millisecond", "d7033fe0000000000000"],
    ["a Map with a key without value", "c9000000020491a1"],
    ["a Map with a key twice", "c900000005049401000100"],
    ["a Map that holds no array", "d40401"],
    ["a Set with a member twice", "c90000000305920101"],
    ["an extension longer than its content", "c9000000030591a16101"],
    ["an extension shorter than its content", "c9000000020591a161"],
    ["a bare object that is none", "d40690"],
    ["a typed array with part of an element", "c703120102ff"],
    ["nesting 513 deep", "91".repeat(513) + "00"],
    ["nesting 100,000 deep", "91".repeat(100_000)],
    ["nested Maps 100,000 deep", "c90fffffff0492".repeat(100_000)],
  ])("refuses %s", (_, hex) => {
    expect(isCorrupt(Buffer.from(hex, "hex"))).toBe(true);
  });

  test("takes nesting 512 deep", () => {
    expect(isCorrupt(Buffer.from("91".repeat(512) + "00", "hex"))).toBe(false);
  });

  test("reads arbitrary bytes as a value that it writes again, or refuses them", () => {
    const headers = fc.constantFrom(0x81, 0x92, 0xa1, 0xc4, 0xc7, 0xc9, 0xcb, 0xcf, 0xd3, 0xd4, 0xd7, 0xdc, 0xde, 0xdf);
    const codes = fc.integer({ min: 0, max: 26 });
    const bytes = fc.array(fc.oneof(headers, codes, fc.integer({ min: 0, max: 255 })), { maxLength: 24 });
    fc.assert(
      fc.property(bytes, (source) => {
        const input = Uint8Array.from(source);
        if (isCorrupt(input)) return;
        const value = decode(input);
        expect(isDeepStrictEqual(decode(encode(value)), value)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test("reads damaged encodings as another value, or refuses them", () => {
    const damaged = fc.tuple(structuredValues, fc.nat(), fc.nat(255), fc.boolean()).map(([value, at, byte, isCut]) => {
      const bytes = encode(value);
      if (isCut) return bytes.subarray(0, at % bytes.length);
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(damaged, (bytes) => {
        if (!isCorrupt(bytes)) expect(isOwned(decode(bytes))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("nested claims of large counts take no memory", () => {
    const before = process.memoryUsage().heapUsed;
    expect(isCorrupt(Buffer.from("ddffffffff".repeat(500), "hex"))).toBe(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16_000_000);
  });
});
