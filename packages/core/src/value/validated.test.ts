import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";
import { value } from "../state/descriptors.js";
import { blob, codec, json, text } from "./codecs.js";
import { evolved, former } from "./evolved.js";
import { structured } from "./structured-codec.js";
import { type StandardSchema, validated } from "./validated.js";

const INVALID = { code: "VALUE_INVALID", outcome: "not-applied", retryable: false };

const zodUser = z.object({
  name: z.string().trim().min(1),
  age: z.number().int().default(0),
  emails: z.array(z.object({ address: z.email() })),
});
const valibotUser = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1)),
  age: v.optional(v.pipe(v.number(), v.integer()), 0),
  emails: v.array(v.object({ address: v.pipe(v.string(), v.email()) })),
});

interface User {
  name: string;
  age: number;
  emails: { address: string }[];
}

function bytesOf<T>(of: Codec<T>, given: T): Buffer {
  const out = new ByteWriter();
  of.write(of.own(given), out);
  return Buffer.from(out.view());
}

describe.each([
  ["zod", validated(json(), zodUser)],
  ["valibot", validated(json(), valibotUser)],
])("T130 %s", (vendor, users: Codec<User>) => {
  test("T130 what the schema gives is what is stored", () => {
    const given = { name: " Ada ", emails: [] } as unknown as User;
    expect(users.own(given)).toStrictEqual({ name: "Ada", age: 0, emails: [] });
    expect(given).toStrictEqual({ name: " Ada ", emails: [] });
    expect(bytesOf(users, given).toString()).toBe('{"name":"Ada","age":0,"emails":[]}');
  });

  test("T131 a value that does not fit is refused, with what is wrong and where", () => {
    const given = { name: "Ada", age: 0.5, emails: [{ address: "a@b.example" }, { address: "nobody" }] };
    expect(() => users.own(given)).toThrow(
      expect.objectContaining({
        ...INVALID,
        message: expect.stringMatching(
          new RegExp(
            `^A value does not fit its schema\\. vendor="${vendor}" at=value\\.age issue=".+" at=value\\.emails\\[1\\]\\.address issue=".+"\\. `,
          ),
        ) as unknown,
        cause: [
          expect.objectContaining({ path: expect.anything() as unknown }),
          expect.objectContaining({ message: expect.any(String) as unknown }),
        ],
      }),
    );
    expect(Object.isFrozen(given)).toBe(false);
  });

  test("T131 no more than three issues are shown", () => {
    const emails = Array.from({ length: 5 }, () => ({ address: "nobody" }));
    expect(() => users.own({ name: "Ada", age: 1, emails })).toThrow(/at=value\.emails\[2\]\.address .* more=2\. /);
  });

  test("T133 the codec keeps its name and its bytes", () => {
    expect(users).toMatchObject({ id: "json", version: 1 });
    const stored = Buffer.from('{"name":"","age":-0.5}');
    expect(users.read(new ByteReader(stored))).toStrictEqual({ name: "", age: -0.5 });
  });
});

describe("T131 what a schema refuses", () => {
  test("T131 the codec has the last word", () => {
    const anything = validated(json<unknown>(), z.unknown());
    expect(() => anything.own({ f: () => 1 })).toThrow(expect.objectContaining(INVALID));
    expect(anything.own({ f: 1 })).toStrictEqual({ f: 1 });
  });

  test("T131 an error of the schema's own functions is the cause", () => {
    const reason = new Error("broken");
    const schema = v.pipe(
      v.string(),
      v.transform((): string => {
        throw reason;
      }),
    );
    expect(() => validated(text(), schema).own("x")).toThrow(expect.objectContaining({ ...INVALID, cause: reason }));
  });

  test("T131 a default that does not fit is refused when it is declared", () => {
    const small = validated(json(), z.number().max(10));
    expect(() => value({ codec: small, default: 11 })).toThrow(expect.objectContaining(INVALID));
    expect(value({ codec: small, default: 9 }).default).toBe(9);
  });

  test("T131 keys that are no names are shown as what they are", () => {
    const path = [Symbol("s"), 3, "a b", { key: "c" }];
    const schema: StandardSchema<string> = {
      "~standard": { version: 1, vendor: "own", validate: () => ({ issues: [{ message: "no\n", path }] }) },
    };
    expect(() => validated(text(), schema).own("x")).toThrow(
      'vendor="own" at=value["Symbol(s)"][3]["a b"].c issue="no\\n". ',
    );
  });
});

test("T130 a schema may be a function, and its validate may need its this", () => {
  const schema: StandardSchema<string> = Object.assign(() => undefined, {
    "~standard": {
      version: 1 as const,
      vendor: "own",
      suffix: "!",
      validate(given: unknown) {
        return { value: `${String(given)}${this.suffix}` };
      },
    },
  });
  expect(validated(text(), schema).own("x")).toBe("x!");
});

describe("T132 what is no schema for a state", () => {
  const later = {
    zod: z.string().refine(async (given) => Promise.resolve(given === "x")),
    valibot: v.pipeAsync(
      v.string(),
      v.checkAsync(async (given) => Promise.resolve(given === "x")),
    ),
  };

  test.each(Object.entries(later))(
    "T132 an asynchronous one of %s is a TypeError at the first value",
    async (vendor, schema) => {
      const codecOfText = validated(text(), schema as StandardSchema<string>);
      expect(() => codecOfText.own("x")).toThrow(TypeError);
      expect(() => codecOfText.own("x")).toThrow(new RegExp(`asynchronous.*vendor="${vendor}"`));
      await Promise.resolve();
    },
  );

  test("T132 a promise of it that is rejected ends nothing", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      const schema: StandardSchema<string> = {
        "~standard": { version: 1, vendor: "own", validate: async () => Promise.reject(new Error("late")) },
      };
      expect(() => validated(text(), schema).own("x")).toThrow(TypeError);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", listener);
    }
    expect(unhandled).toEqual([]);
  });

  test.each([
    [undefined],
    [{}],
    [{ parse: () => 1 }],
    [{ "~standard": { version: 2, vendor: "next", validate: () => ({ value: 1 }) } }],
    [{ "~standard": { version: 1, vendor: "next" } }],
  ])("T132 %j is a TypeError", (schema) => {
    expect(() => validated(text(), schema as never)).toThrow(TypeError);
  });

  test("T132 no codec is a TypeError", () => {
    expect(() => validated(undefined as never, z.string())).toThrow(TypeError);
  });
});

describe("T133 with other codecs", () => {
  test("T133 validated inside evolved and evolved inside validated are the same", () => {
    const before = former(text(), (old: string) => Number(old));
    const schema = z.number().max(10);
    for (const both of [
      evolved(validated(json(), schema), before),
      validated(evolved(json<number>(), before), schema),
    ]) {
      expect(both).toMatchObject({ id: "json", version: 1, former: [before] });
      expect(both.own(10)).toBe(10);
      expect(() => both.own(11)).toThrow(expect.objectContaining(INVALID));
    }
  });

  test("T133 what cannot be frozen is handed out as a copy, as without a schema", () => {
    const days = validated(structured(), z.object({ on: z.date() }));
    const owned = days.own({ on: new Date(5) });
    const handed = days.handOut?.(owned);
    expect(handed).toStrictEqual({ on: new Date(5) });
    expect(handed?.on).not.toBe(owned.on);
    expect(validated(blob(), z.instanceof(Uint8Array)).handOut).toBe(blob().handOut);
  });

  test("T133 a codec of one's own that is an instance of a class keeps its this", () => {
    class Shouting {
      readonly id = "shouting";
      readonly version = 2;
      readonly #inner = text();
      own(given: string): string {
        return this.#inner.own(given.toUpperCase());
      }
      write(given: string, out: ByteWriter): void {
        this.#inner.write(given, out);
      }
      read(input: ByteReader): string {
        return this.#inner.read(input);
      }
    }
    const both = validated(new Shouting(), z.string());
    expect(both.read(new ByteReader(bytesOf(both, "a")))).toBe("A");
  });

  test("T133 bytes of values that fit are those without a schema", () => {
    const schema = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
    const plain = structured<z.infer<typeof schema>>();
    const checked = validated(structured(), schema);
    const members = fc.oneof(fc.integer(), fc.string({ unit: "grapheme" }), fc.constant(null));
    const names = fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__");
    fc.assert(
      fc.property(fc.dictionary(names, members, { noNullPrototype: true }), (given) => {
        expect(bytesOf(checked, given)).toEqual(bytesOf(plain, given));
      }),
    );
  });
});

describe("T130 types", () => {
  test("T130 the values are what the schema gives", () => {
    const users = validated(json(), zodUser);
    expectTypeOf(users).toEqualTypeOf<Codec<User>>();
    expectTypeOf(validated(json(), valibotUser)).toEqualTypeOf<Codec<User>>();
    expectTypeOf(validated(json<User>(), zodUser)).toEqualTypeOf<Codec<User>>();
    expectTypeOf(value({ codec: users }))
      .toHaveProperty("codec")
      .toEqualTypeOf<Codec<User>>();
  });

  test("T130 a schema that does not take what it gives, or another codec, does not compile", () => {
    const length = z.string().transform((given) => given.length);
    // @ts-expect-error it takes strings and gives numbers
    expect(() => validated(json(), length).own(5)).toThrow(expect.objectContaining(INVALID));
    // @ts-expect-error a codec of texts is none of users
    expect(() => validated(text(), zodUser).own({ name: "Ada", age: 1, emails: [] })).toThrow(/not a string/);
    const upper = codec<string>({
      id: "upper",
      version: 1,
      encode: (given) => Buffer.from(given),
      decode: (bytes) => Buffer.from(bytes).toString(),
    });
    expect(validated(upper, z.string().toUpperCase()).own("a")).toBe("A");
  });
});
