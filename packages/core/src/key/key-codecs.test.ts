import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { corruptBytes } from "../bytes/byte-reader.js";
import type { KeyCodec } from "../contracts/codec.js";
import { hasCode } from "../errors.js";
import { type BinaryKey, bytesOfKey, keyOfBytes } from "./binary-key.js";
import { bigint, bytes, type KeyOf, keyCodec, number, type ScalarKey, scalar, string, tuple } from "./key-codecs.js";
import { murmur3 } from "./murmur3.js";

const text = fc.string({
  unit: fc.constantFrom("\u0000", "\u0001", "\u000f", "a", "é", "\u00ff", "\uffff", "😀"),
  maxLength: 5,
});
const longText = fc.oneof(text, fc.string({ unit: "binary", maxLength: 40 }));
const numbers = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constantFrom(-0, Number.NaN));
const bigints = fc.oneof(fc.bigInt({ min: -300n, max: 300n }), fc.bigInt({ min: -(1n << 2100n), max: 1n << 2100n }));
const byteStrings = fc.uint8Array({ maxLength: 4, max: 2 });
const { scalars } = fc.letrec<{ scalars: ScalarKey; leaf: ScalarKey }>((tie) => ({
  leaf: fc.oneof(text, numbers, bigints, fc.boolean(), byteStrings),
  scalars: fc.oneof({ maxDepth: 3 }, tie("leaf"), fc.array(tie("scalars"), { maxLength: 3 })),
}));

const version2: KeyCodec<number> = { ...number(), id: "mine", version: 2 };
const pair = tuple(string(), number());

interface Sample {
  readonly codec: KeyCodec<unknown>;
  readonly keys: fc.Arbitrary<unknown>;
}

const CODECS: Record<string, Sample> = {
  string: sample(string(), longText),
  number: sample(number(), numbers),
  bigint: sample(bigint(), bigints),
  bytes: sample(bytes(), byteStrings),
  tuple: sample(pair, fc.tuple(text, numbers)),
  scalar: sample(scalar(), scalars),
};

function sample<K>(codec: KeyCodec<K>, keys: fc.Arbitrary<K>): Sample {
  return { codec, keys };
}

/** The order that the documentation promises. */
function compareKeys(a: unknown, b: unknown): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (Array.isArray(a)) return compareArrays(a, b as unknown[]);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function compareArrays(a: unknown[], b: unknown[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareKeys(a[index], b[index]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function rankOf(key: unknown): number {
  if (Array.isArray(key)) return 6;
  if (key instanceof Uint8Array) return 5;
  return ["boolean", "number", "bigint", "string"].indexOf(typeof key);
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return hasCode(error, "VALUE_INVALID")
      ? "VALUE_INVALID"
      : hasCode(error, "CHECKPOINT_CORRUPT")
        ? "CHECKPOINT_CORRUPT"
        : "other";
  }
}

describe.each(Object.keys(CODECS))("the %s key codec", (name) => {
  const { codec, keys } = CODECS[name] as Sample;

  test("decodes what it encoded, wherever it stands, and says where it ends", () => {
    fc.assert(
      fc.property(keys, keys, (first, second) => {
        const source = `??${codec.encode(first)}${codec.encode(second)}!` as BinaryKey;
        const one = codec.decode(source, 2);
        expect(compareKeys(one.key, first)).toBe(0);
        const two = codec.decode(source, one.end);
        expect(compareKeys(two.key, second)).toBe(0);
        expect(two.end).toBe(source.length - 1);
      }),
    );
  });

  test("T111 sorts bytes as keys, and no key is a prefix of another", () => {
    fc.assert(
      fc.property(keys, keys, (first, second) => {
        const a = codec.encode(first);
        const b = codec.encode(second);
        expect(Math.sign(Buffer.compare(bytesOfKey(a), bytesOfKey(b)))).toBe(Math.sign(compareKeys(first, second)));
        if (a !== b) expect(a.startsWith(b) || b.startsWith(a)).toBe(false);
      }),
    );
  });

  test("T6 gives equal keys, and only those, the same identity", () => {
    fc.assert(
      fc.property(keys, keys, (first, second) => {
        const isSame = new Set([codec.identity(first), codec.identity(second)]).size === 1;
        expect(isSame).toBe(codec.encode(first) === codec.encode(second));
        expect(compareKeys(codec.fromIdentity(codec.identity(first)), first)).toBe(0);
        expect(codec.identity(codec.fromIdentity(codec.identity(first)))).toEqual(codec.identity(first));
      }),
    );
  });

  test("hashes the encoded key", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(codec.hash(key)).toBe(murmur3(bytesOfKey(codec.encode(key))));
      }),
    );
  });

  test("refuses bytes that are not its encoding with CHECKPOINT_CORRUPT", () => {
    const mutated = fc.tuple(keys, fc.nat(), fc.nat(255)).map(([key, at, byte]) => {
      const source = bytesOfKey(codec.encode(key));
      source[at % source.length] = byte;
      return keyOfBytes(source);
    });
    const hostile = fc.oneof(mutated, fc.uint8Array({ maxLength: 12 }).map(keyOfBytes));
    fc.assert(
      fc.property(hostile, (source) => {
        const code = codeOf(() => {
          const { key, end } = codec.decode(source, 0);
          // What is accepted must be the one encoding of what it means.
          expect(codec.encode(key)).toBe(source.slice(0, end));
        });
        expect([undefined, "CHECKPOINT_CORRUPT"]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  test("refuses a key that is cut short with CHECKPOINT_CORRUPT", () => {
    fc.assert(
      fc.property(keys, fc.nat(), (key, cut) => {
        const source = codec.encode(key);
        const short = source.slice(0, cut % source.length) as BinaryKey;
        expect(codeOf(() => codec.decode(short, 0))).toBe("CHECKPOINT_CORRUPT");
      }),
    );
  });

  test("refuses keys of other types with VALUE_INVALID", () => {
    for (const key of [undefined, null, {}, () => 1, Symbol("x"), new Date(0), [undefined], [null]]) {
      expect(codeOf(() => codec.encode(key))).toBe("VALUE_INVALID");
      expect(codeOf(() => codec.identity(key))).toBe("VALUE_INVALID");
      expect(codeOf(() => codec.hash(key))).toBe("VALUE_INVALID");
    }
  });
});

describe("encodings that are written down", () => {
  test.each([
    [string(), "", "0001"],
    [string(), "ab", "61620001"],
    [string(), "a\u0000b", "6100ff620001"],
    [string(), "é😀", "c3a9f09f98800001"],
    [number(), 0, "8000000000000000"],
    [number(), -0, "8000000000000000"],
    [number(), 1, "bff0000000000000"],
    [number(), -1, "400fffffffffffff"],
    [number(), Number.POSITIVE_INFINITY, "fff0000000000000"],
    [number(), Number.NaN, "fff8000000000000"],
    [bigint(), 0n, "80"],
    [bigint(), 1n, "8101"],
    [bigint(), 256n, "820100"],
    [bigint(), -1n, "7efe"],
    [bigint(), -256n, "7dfeff"],
    [bigint(), (1n << 1008n) - 1n, `fe${"ff".repeat(126)}`],
    [bigint(), 1n << 1008n, `ff0000007f01${"00".repeat(126)}`],
    [bigint(), -(1n << 1008n), `00ffffff80fe${"ff".repeat(126)}`],
    [bytes(), new Uint8Array([0, 1]), "00ff010001"],
    [pair, ["a", 0], "6100018000000000000000"],
    [scalar(), false, "01"],
    [scalar(), true, "02"],
    [scalar(), 1, "03bff0000000000000"],
    [scalar(), 1n, "048101"],
    [scalar(), "a", "05610001"],
    [scalar(), new Uint8Array([7]), "06070001"],
    [scalar(), [], "0700"],
    [scalar(), ["a", [true]], "0705610001070200" + "00"],
  ] as [Pick<KeyCodec<unknown>, "encode">, unknown, string][])("%o of %o", (codec, key, hex) => {
    expect(bytesOfKey(codec.encode(key)).toString("hex")).toBe(hex);
  });

  test("T110 hashes and key groups that are written down", () => {
    expect(string().hash("user-1")).toBe(murmur3(Buffer.from("user-1\u0000\u0001")));
    expect([string().hash(""), string().hash("a"), string().hash("user-1"), string().hash("日本")]).toEqual([
      1893835456, 2138758248, 901956198, 2608671490,
    ]);
    expect([number().hash(0), number().hash(42), bigint().hash(42n), bytes().hash(new Uint8Array([1]))]).toEqual([
      292862370, 3342191226, 3043722906, 1910479886,
    ]);
  });

  test("malformed keys that look almost right", () => {
    const cases: [Pick<KeyCodec<unknown>, "decode">, string][] = [
      [string(), "61"],
      [string(), "6100"],
      [string(), "61000261"],
      [string(), "ff0001"],
      [string(), "eda0800001"],
      [number(), "7fffffffffffffff"],
      [number(), "fff8000000000001"],
      [number(), "0007ffffffffffff"],
      [bigint(), "7f"],
      [bigint(), "8100"],
      [bigint(), "820001"],
      [bigint(), "ff0000000101"],
      [bigint(), "ffffffffff01"],
      [bigint(), "ff00"],
      [scalar(), "08"],
      [scalar(), "00"],
      [scalar(), "07".repeat(100_000)],
    ];
    for (const [codec, hex] of cases) {
      expect(codeOf(() => codec.decode(keyOfBytes(Buffer.from(hex, "hex")), 0))).toBe("CHECKPOINT_CORRUPT");
    }
  });
});

describe("key codecs", () => {
  test("lone surrogates are refused and say so", () => {
    for (const key of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
      expect(() => string().encode(key)).toThrow(/surrogate.*key=.*Use well-formed text/);
      expect(codeOf(() => string().hash(key))).toBe("VALUE_INVALID");
      expect(codeOf(() => scalar().identity(key))).toBe("VALUE_INVALID");
    }
  });

  test("arrays that nest too deep, in a cycle or 50,000 times, are refused", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    let deep: ScalarKey = [];
    for (let depth = 0; depth < 50_000; depth++) deep = [deep];
    expect(codeOf(() => scalar().encode(cycle as ScalarKey))).toBe("VALUE_INVALID");
    expect(codeOf(() => scalar().identity(deep))).toBe("VALUE_INVALID");
  });

  test("ids name the parts of a tuple, with their version where it is not 1", () => {
    expect(pair.id).toBe("tuple(string,number)");
    expect(tuple(pair, version2).id).toBe("tuple(tuple(string,number),mine@2)");
  });

  test("a codec of your own gets its identity and hash from its encoding", () => {
    const flag = keyCodec<boolean>({
      id: "flag",
      version: 1,
      encode: (key) => (key ? "\u0001" : "\u0000") as BinaryKey,
      decode(source, offset) {
        if (offset >= source.length) throw corruptBytes("a flag is missing", `offset=${offset}`);
        return { key: source.charCodeAt(offset) === 1, end: offset + 1 };
      },
    });
    expect(flag.identity(true)).toBe("\u0001");
    expect(flag.fromIdentity(flag.identity(true))).toBe(true);
    expect(flag.hash(false)).toBe(murmur3(new Uint8Array(1)));
  });

  test("types of keys follow from the codec", () => {
    expectTypeOf<KeyOf<typeof pair>>().toEqualTypeOf<readonly [string, number]>();
    expectTypeOf<KeyOf<ReturnType<typeof string>>>().toEqualTypeOf<string>();
  });
});
