import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";
import { hasCode, type ErrorCode } from "../errors.js";
import { blob, codec, float64, integer, json, text } from "./codecs.js";

interface Sample {
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
  readonly refused: readonly unknown[];
}

function sample<T>(of: Codec<T>, values: fc.Arbitrary<T>, refused: readonly unknown[]): Sample {
  return { codec: of, values, refused };
}

const texts = fc.string({ unit: "binary", maxLength: 60 });
const trees = fc.jsonValue({ noUnicodeString: false }).filter((value) => !JSON.stringify(value).includes("__proto__"));

const CODECS: Record<string, Sample> = {
  float64: sample(float64(), fc.double(), ["1", 1n, null, undefined]),
  integer: sample(integer(), fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.integer({ min: -200, max: 200 })), [
    0.5,
    2 ** 53,
    -(2 ** 53),
    Number.NaN,
    "1",
    1n,
    null,
  ]),
  text: sample(text(), texts, [1, null, "\ud800", new String("a")]),
  blob: sample(blob(), fc.uint8Array({ maxLength: 60 }), [[1], "a", new ArrayBuffer(1), new Uint16Array(1), null]),
  json: sample(json<unknown>(), trees, [undefined, Number.NaN, 1n, new Date(0), { a: undefined }, "\ud800"]),
};

function encode<T>(of: Codec<T>, value: T): Buffer {
  const out = new ByteWriter();
  of.write(of.own(value), out);
  return out.take();
}

function decode<T>(of: Codec<T>, bytes: Uint8Array): T {
  return of.read(new ByteReader(bytes));
}

function failsWith(code: ErrorCode, action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (hasCode(error, code)) return true;
    throw error;
  }
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

describe.each(Object.keys(CODECS))("the %s codec", (name) => {
  const { codec: subject, values, refused } = CODECS[name] as Sample;

  test("T113 gives back every value it takes", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(subject, value);
        const decoded = decode(subject, bytes);
        if (name === "json") expect(decoded).toEqual(JSON.parse(JSON.stringify(value)));
        else expect(decoded).toEqual(value);
        expect(encode(subject, decoded).equals(bytes)).toBe(true);
      }),
    );
  });

  test("T113 refuses other values with VALUE_INVALID", () => {
    for (const value of refused) expect(failsWith("VALUE_INVALID", () => subject.own(value))).toBe(true);
  });

  test("reads arbitrary bytes or refuses them with CHECKPOINT_CORRUPT", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        failsWith("CHECKPOINT_CORRUPT", () => decode(subject, bytes));
      }),
    );
  });
});

describe("encodings that are written down", () => {
  test("float64 is IEEE 754, big-endian, with one NaN", () => {
    expect(encode(float64(), -2).toString("hex")).toBe("c000000000000000");
    expect(encode(float64(), -0).toString("hex")).toBe("8000000000000000");
    const otherNan = new Float64Array(new BigUint64Array([0xfff0_0000_0000_0001n]).buffer)[0] as number;
    expect(encode(float64(), otherNan).toString("hex")).toBe("7ff8000000000000");
    for (const hex of ["c0000000000000", "c00000000000000000"]) {
      expect(failsWith("CHECKPOINT_CORRUPT", () => decode(float64(), bytesOf(hex)))).toBe(true);
    }
  });

  test.each([
    [0, "00"],
    [-1, "01"],
    [1, "02"],
    [63, "7e"],
    [-64, "7f"],
    [64, "8001"],
    [-65, "8101"],
    [Number.MAX_SAFE_INTEGER, "feffffffffffff1f"],
    [Number.MIN_SAFE_INTEGER, "fdffffffffffff1f"],
  ])("integer %i is zigzag LEB128 %s", (value, hex) => {
    expect(encode(integer(), value).toString("hex")).toBe(hex);
    expect(decode(integer(), bytesOf(hex))).toBe(value);
  });

  test("an integer is never -0, and has one encoding", () => {
    expect(Object.is(integer().own(-0), 0)).toBe(true);
    for (const hex of ["8000", "ffffffffffffff1f", "8080808080808020", "80", "", "0000"]) {
      expect(failsWith("CHECKPOINT_CORRUPT", () => decode(integer(), bytesOf(hex)))).toBe(true);
    }
  });

  test("text is UTF-8 without a length", () => {
    expect(encode(text(), "aé").toString("hex")).toBe("61c3a9");
    expect(failsWith("CHECKPOINT_CORRUPT", () => decode(text(), bytesOf("ff")))).toBe(true);
  });

  test("a blob is copied when stored and when read", () => {
    const source = Buffer.from([1, 2]);
    const owned = blob().own(source);
    source.fill(9);
    expect(owned).toStrictEqual(new Uint8Array([1, 2]));
    const bytes = new Uint8Array([1]);
    const read = decode(blob(), bytes);
    bytes[0] = 2;
    expect([...read]).toEqual([1]);
  });

  test("JSON is frozen when stored and when read, and has no __proto__", () => {
    const value = { a: [1] };
    expect(json<typeof value>().own(value)).toBe(value);
    expect(Object.isFrozen(value.a)).toBe(true);
    const decoded = decode(json<typeof value>(), Buffer.from('{"a":[1]}'));
    expect(Object.isFrozen(decoded.a) && Object.isFrozen(decoded)).toBe(true);
    for (const hostile of ['{"__proto__":1}', '"\\ud800"', "1e999", "", "{", "[".repeat(100_000)]) {
      expect(failsWith("CHECKPOINT_CORRUPT", () => decode(json(), Buffer.from(hostile)))).toBe(true);
    }
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    expect(failsWith("CHECKPOINT_CORRUPT", () => decode(json(), Buffer.from(deep)))).toBe(true);
  });
});

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

const points = codec<Point>({
  id: "point",
  version: 3,
  encode: ({ x, y }) => {
    if (!Number.isInteger(x)) throw new TypeError("x is not an integer");
    return new Uint8Array([x, y]);
  },
  decode: ([x, y]) => {
    if (x === undefined || y === undefined) throw new TypeError("too short");
    return Object.freeze(new Point(x, y));
  },
});

describe("a codec of one's own", () => {
  test("keeps instances, and by default stores what decoding gives", () => {
    const point = new Point(1, 2);
    const owned = points.own(point);
    expect(owned).not.toBe(point);
    expect(owned).toStrictEqual(point);
    expect(decode(points, encode(points, point))).toStrictEqual(point);
    expect([points.id, points.version]).toEqual(["point", 3]);
  });

  test("own replaces the round trip", () => {
    const trusting = codec<Point>({
      id: "point",
      version: 1,
      encode: () => new Uint8Array(0),
      decode: () => new Point(0, 0),
      own: (value) => value,
    });
    const point = new Point(1, 2);
    expect(trusting.own(point)).toBe(point);
  });

  test("what it throws is the cause of a typed error", () => {
    let failure: unknown;
    try {
      points.own(new Point(0.5, 1));
    } catch (error) {
      failure = error;
    }
    expect(hasCode(failure, "VALUE_INVALID")).toBe(true);
    expect((failure as Error).cause).toBeInstanceOf(TypeError);
    expect(failsWith("CHECKPOINT_CORRUPT", () => decode(points, new Uint8Array(1)))).toBe(true);
  });

  test("types follow from its functions", () => {
    expectTypeOf(points).toEqualTypeOf<Codec<Point>>();
    expectTypeOf(json<{ a: 1 }>()).toEqualTypeOf<Codec<{ a: 1 }>>();
  });
});
