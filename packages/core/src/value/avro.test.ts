import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";
import { avro } from "./avro.js";
import { text } from "./codecs.js";
import { evolved, former } from "./evolved.js";
import { validated } from "./validated.js";

const { Type, types } = avsc;

const INVALID = { code: "VALUE_INVALID", outcome: "not-applied", retryable: false };

const orderSchema = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "state", type: { type: "enum", name: "State", symbols: ["OPEN", "PAID"] } },
    { name: "note", type: ["null", "string"], default: null },
    { name: "weight", type: "float", default: 0 },
    { name: "price", type: "double", default: 0 },
    { name: "gift", type: "boolean", default: false },
    { name: "count", type: "int", default: 1 },
    { name: "key", type: { type: "fixed", name: "Key", size: 2 } },
    { name: "photo", type: "bytes" },
    { name: "lines", type: { type: "array", items: { type: "map", values: "string" } } },
    { name: "parent", type: ["null", "Order"], default: null },
  ],
} as const;

interface Order {
  readonly id: number;
  readonly state: "OPEN" | "PAID";
  readonly note: string | null;
  readonly weight: number;
  readonly price: number;
  readonly gift: boolean;
  readonly count: number;
  readonly key: Buffer;
  readonly photo: Buffer;
  readonly lines: readonly Record<string, string>[];
  readonly parent: Order | null;
}

const typeOf = (schema: unknown, options: object = {}): avsc.Type => Type.forSchema(schema as avsc.Schema, options);
const orders = avro<Order>(typeOf(orderSchema), { version: 1 });

function order(parts: Partial<Order> = {}): Order {
  return {
    id: 1,
    state: "OPEN",
    note: null,
    weight: 0.5,
    price: 0.1,
    gift: true,
    count: -3,
    key: Buffer.from([1, 2]),
    photo: Buffer.from([3]),
    lines: [{ a: "b" }],
    parent: null,
    ...parts,
  };
}

function bytesOf<T>(codec: Codec<T>, owned: T): Buffer {
  const out = new ByteWriter();
  codec.write(owned, out);
  return Buffer.from(out.view());
}

const readBack = <T>(codec: Codec<T>, owned: T): T => codec.read(new ByteReader(bytesOf(codec, owned)));

/** Refused, with a message that matches; what was given is as it was. */
function expectRefused(codec: Codec<never>, given: unknown, message: RegExp): void {
  expect(() => codec.own(given as never)).toThrow(
    expect.objectContaining({ ...INVALID, message: expect.stringMatching(message) as unknown }),
  );
}

describe("T134 values of an Avro type", () => {
  test("T134 are in its encoding, under its name", () => {
    expect(orders).toMatchObject({ id: "avro:shop.Order", version: 1 });
    expect(bytesOf(orders, orders.own(order()))).toEqual(typeOf(orderSchema).toBuffer(order()));
    expect(avro(typeOf({ type: "array", items: "int" }), { version: 3 })).toMatchObject({
      id: "avro:array",
      version: 3,
    });
    expect(avro(typeOf("long"), { version: 1, id: "ours" }).id).toBe("ours");
  });

  test("T134 come back as plain frozen objects, also records and wrapped unions that avsc has made", () => {
    const wrapped = typeOf(orderSchema, { wrapUnions: "always" });
    const bare = typeOf(orderSchema, { omitRecordMethods: true });
    const given = { ...order(), note: { string: "x" }, parent: { "shop.Order": { ...order(), id: 2 } } };
    const codec = avro<typeof given>(wrapped, { version: 1 });
    for (const owned of [codec.own(given), codec.own(wrapped.fromBuffer(wrapped.toBuffer(given)) as typeof given)]) {
      expect(owned).toStrictEqual({ ...given, weight: 0.5 });
      expect(readBack(codec, owned)).toStrictEqual(owned);
      for (const part of [owned, owned.lines, owned.lines[0], owned.note, owned.parent["shop.Order"]]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    }
    expect(avro<Order>(bare, { version: 1 }).own(order({ parent: order() }))).toStrictEqual(order({ parent: order() }));
    expect(Object.isFrozen(given)).toBe(false);
  });

  test("T134 have what reading gives from the start: defaults, floats of 32 bits", () => {
    const short = { id: 1, state: "PAID", key: Buffer.alloc(2), photo: Buffer.alloc(0), lines: [], weight: 0.1 };
    const owned = orders.own(short as unknown as Order);
    expect(owned).toStrictEqual({
      ...short,
      note: null,
      weight: Math.fround(0.1),
      price: 0,
      gift: false,
      count: 1,
      parent: null,
    });
    expect(readBack(orders, owned)).toStrictEqual(owned);
    expect(readBack(avro<number>(typeOf("double"), { version: 1 }), -0)).toBe(-0);
  });

  test("T113 T134 come back whatever they are", () => {
    const name = fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__");
    const { value: given } = fc.letrec<{ value: Order }>((tie) => ({
      value: fc.record(
        {
          id: fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 }),
          state: fc.constantFrom("OPEN" as const, "PAID" as const),
          note: fc.option(fc.string({ unit: "grapheme" })),
          weight: fc.float(),
          price: fc.double(),
          gift: fc.boolean(),
          count: fc.integer(),
          key: fc.uint8Array({ minLength: 2, maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
          photo: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          lines: fc.array(fc.dictionary(name, fc.string({ unit: "grapheme" }), { noNullPrototype: true })),
          parent: fc.option(tie("value"), { maxDepth: 3 }),
        },
        { noNullPrototype: true },
      ),
    }));
    fc.assert(
      fc.property(given, (order) => {
        const owned = orders.own(order);
        expect(owned).toStrictEqual(order);
        expect(readBack(orders, owned)).toStrictEqual(owned);
        expect(bytesOf(orders, orders.own(owned))).toEqual(bytesOf(orders, owned));
        expect(orders.handOut?.(owned)).toStrictEqual(owned);
      }),
    );
  });
});

describe("T134 memory", () => {
  test("T134 bytes are copied on the way in and out, and share nothing", () => {
    const photo = Buffer.from([1, 2, 3]);
    const owned = orders.own(order({ photo }));
    photo[0] = 9;
    expect(owned.photo).toEqual(Buffer.from([1, 2, 3]));
    const handed = orders.handOut?.(owned) as Order;
    expect(handed).toStrictEqual(owned);
    new Uint8Array(handed.photo.buffer).fill(7);
    new Uint8Array(handed.key.buffer).fill(7);
    expect(owned).toStrictEqual(order({ photo: Buffer.from([1, 2, 3]) }));
    expect(owned.photo.buffer.byteLength).toBe(3);
    const read = readBack(orders, owned);
    expect(read.photo.buffer).not.toBe(read.key.buffer);
  });

  test("T134 bytes by themselves too", () => {
    const codec = avro<Buffer>(typeOf("bytes"), { version: 1 });
    const owned = codec.own(Buffer.from([1]));
    (codec.handOut?.(owned) as Buffer)[0] = 2;
    expect(owned).toEqual(Buffer.from([1]));
  });

  test("T134 what is frozen all through is handed out as it is", () => {
    const codec = avro<readonly Record<string, number>[]>(
      typeOf({ type: "array", items: { type: "map", values: "int" } }),
      {
        version: 1,
      },
    );
    const owned = codec.own([{ a: 1 }]);
    expect(codec.handOut?.(owned)).toBe(owned);
    expect(avro<string>(typeOf("string"), { version: 1 }).handOut?.("x")).toBe("x");
  });

  test("T134 values of logical types are handed out as copies", () => {
    class DateType extends types.LogicalType {
      protected override _fromValue(stored: number): Date {
        return new Date(stored);
      }
      protected override _toValue(given: unknown): number | undefined {
        return given instanceof Date ? given.getTime() : undefined;
      }
    }
    const schema = {
      type: "record",
      name: "Visit",
      fields: [{ name: "at", type: { type: "long", logicalType: "date-time" } }],
    };
    const codec = avro<{ readonly at: Date }>(typeOf(schema, { logicalTypes: { "date-time": DateType } }), {
      version: 1,
    });
    const owned = codec.own({ at: new Date(5) });
    const handed = codec.handOut?.(owned);
    handed?.at.setTime(6);
    expect(owned).toStrictEqual({ at: new Date(5) });
    expect(readBack(codec, owned)).toStrictEqual({ at: new Date(5) });
    expectRefused(codec as Codec<never>, { at: 5 }, /at=value\.at expected="logical:date-time" received="5"/);
    expectRefused(codec as Codec<never>, { at: new Date(NaN) }, /at=value\.at/);
  });
});

describe("T135 what is refused", () => {
  const refusals: Record<string, readonly [unknown, RegExp]> = {
    "another type": ["x", /codec="avro:shop\.Order" at=value expected="shop\.Order" received="x"/],
    null: [null, /at=value expected="shop\.Order" received=null/],
    "a wrong field": [{ ...order(), count: 0.5 }, /at=value\.count expected="int" received="0\.5"/],
    "an unsafe long": [{ ...order(), id: 2 ** 53 }, /at=value\.id/],
    "a long that avsc gets wrong": [order({ id: -(2 ** 52) - 1 }), /a number that its type gives back.*at=value\.id/],
    "an unknown symbol": [{ ...order(), state: "LOST" }, /at=value\.state expected="shop\.State" received="LOST"/],
    "a wrong member deep inside": [
      order({ parent: { ...order(), lines: [{}, { "a b": 1 as never }] } }),
      /at=value\.parent\.lines\[1\]\["a b"\] expected="string"/,
    ],
    "a missing field": [{ ...order(), photo: undefined }, /at=value\.photo expected="bytes" received=undefined/],
    "an undeclared field": [{ ...order(), more: 1 }, /at=value .*undeclared/],
    "bytes that are no Buffer": [{ ...order(), photo: new Uint8Array(1) }, /at=value\.photo/],
    "a lone surrogate": [order({ note: "\uD800" }), /surrogate.*at=value\.note/],
    "a lone surrogate in a key": [
      order({ lines: [{}, { "\uDC00": "x" }] }),
      /key with a surrogate.*at=value\.lines\[1\]/,
    ],
    __proto__: [order({ lines: [JSON.parse('{"__proto__":"x"}') as never] }), /__proto__.*at=value\.lines\[0\]/],
    "a Map": [order({ lines: [new Map([["a", "b"]]) as never] }), /instance of Map.*at=value\.lines\[0\]/],
    "a symbol": [order({ lines: [{ [Symbol("s")]: "x" }] }), /symbol.*at=value\.lines\[0\]/],
    "an array with a name": [order({ lines: Object.assign([], { a: 1 }) }), /named properties.*at=value\.lines/],
  };

  test.each(Object.entries(refusals))("T135 %s, saying where", (_, [given, message]) => {
    expectRefused(orders as Codec<never>, given, message);
  });

  test("T135 every long that avsc gets wrong", () => {
    fc.assert(
      fc.property(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: -(2 ** 52) - 1 }), (id) => {
        expectRefused(orders as Codec<never>, order({ id }), /at=value\.id/);
      }),
    );
  });

  test("T135 a value that contains itself", () => {
    const loop = { ...order() } as { parent: unknown };
    loop.parent = loop;
    expectRefused(orders as Codec<never>, loop, /An Avro type failed/);
  });

  test("T135 bytes of another type are CHECKPOINT_CORRUPT, too few and too many too", () => {
    const bytes = bytesOf(orders, orders.own(order()));
    for (const wrong of [
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.alloc(0),
    ]) {
      expect(() => orders.read(new ByteReader(wrong))).toThrow(expect.objectContaining({ code: "CHECKPOINT_CORRUPT" }));
    }
  });

  test("T135 parts that are missing or out of range", () => {
    expect(() => avro(undefined as never, { version: 1 })).toThrow(TypeError);
    expect(() => avro({ type: "string" } as never, { version: 1 })).toThrow(TypeError);
    for (const version of [0, 1.5, undefined, "1"]) {
      expect(() => avro(typeOf("long"), { version: version as never })).toThrow(RangeError);
    }
    expect(() => avro(typeOf("long"), undefined as never)).toThrow(RangeError);
  });
});

describe("T136 former types", () => {
  const person = (...fields: unknown[]): avsc.Type => typeOf({ type: "record", name: "Person", fields });
  const name = { name: "name", type: "string" };
  const v1 = person(name, { name: "age", type: "int" });
  const v2 = person(name, { name: "age", type: "double" }, { name: "email", type: ["null", "string"], default: null });
  const v3 = person({ name: "called", aliases: ["name"], type: "string" }, { name: "age", type: "double" });

  test("T136 are read by schema resolution, each directly", () => {
    const codec = avro(v3, {
      version: 3,
      from: [
        { version: 1, type: v1 },
        { version: 2, type: v2 },
      ],
    });
    expect(codec.former?.map(({ codec: { id, version } }) => [id, version])).toEqual([
      ["avro:Person", 1],
      ["avro:Person", 2],
    ]);
    const stored = [v1.toBuffer({ name: "Ada", age: 36 }), v2.toBuffer({ name: "Ada", age: 36.5, email: "a@b" })];
    const migrated = stored.map((bytes, i) => {
      const before = codec.former?.[i];
      return codec.own(before?.migrate(before.codec.read(new ByteReader(bytes))));
    });
    expect(migrated).toStrictEqual([
      { called: "Ada", age: 36 },
      { called: "Ada", age: 36.5 },
    ]);
  });

  test("T136 have the id that they were given, else that of the current codec, else their own", () => {
    const old = typeOf({ type: "record", name: "Human", fields: [name] });
    const renamed = typeOf({ type: "record", name: "Person", aliases: ["Human"], fields: [name] });
    const ids = (options: { id?: string }, before: { id?: string }): unknown =>
      avro(renamed, { ...options, version: 2, from: [{ type: old, version: 1, ...before }] }).former?.[0]?.codec.id;
    expect(ids({}, {})).toBe("avro:Human");
    expect(ids({ id: "p" }, {})).toBe("p");
    expect(ids({ id: "p" }, { id: "h" })).toBe("h");
  });

  test("T136 that cannot be resolved or have the current name are a TypeError at the declaration", () => {
    const other = person(name, { name: "age", type: "string" });
    expect(() => avro(other, { version: 2, from: [{ version: 1, type: v1 }] })).toThrow(
      expect.objectContaining({
        name: "TypeError",
        message: expect.stringContaining('former="avro:Person" version=1') as unknown,
        cause: expect.any(Error) as unknown,
      }),
    );
    expect(() => avro(v2, { version: 1, from: [{ version: 1, type: v1 }] })).toThrow(TypeError);
    expect(() => avro(v2, { version: 2, from: [{ version: 0, type: v1 }] })).toThrow(RangeError);
  });

  test("T136 symbols of an enum may be added and change places, and one that goes needs a default", () => {
    const colour = (symbols: string[], more: object = {}): avsc.Type =>
      typeOf({ type: "enum", name: "Colour", symbols, ...more });
    const before = colour(["RED", "GREEN"]);
    const read = (now: avsc.Type, symbol: string): unknown =>
      avro(now, { version: 2, from: [{ version: 1, type: before }] }).former?.[0]?.codec.read(
        new ByteReader(before.toBuffer(symbol)),
      );
    expect(read(colour(["BLUE", "GREEN", "RED"]), "RED")).toBe("RED");
    expect(read(colour(["RED", "OTHER"], { default: "OTHER" }), "GREEN")).toBe("OTHER");
    expect(() => read(colour(["RED"]), "RED")).toThrow(TypeError);
  });

  test("T133 T136 go together with other codecs before, and with a schema", () => {
    interface Person {
      readonly name: string;
      readonly age: number;
      readonly email: string | null;
    }
    const people = avro<Person>(v2, { version: 2, from: [{ version: 1, type: v1 }] });
    const all = evolved(
      validated(people, z.object({ name: z.string().min(1), age: z.number().min(0), email: z.string().nullable() })),
      former(text(), (old: string) => ({ name: old, age: 0, email: null })),
    );
    expect(all).toMatchObject({ id: "avro:Person", version: 2 });
    expect(all.former?.map(({ codec }) => codec.id)).toEqual(["text", "avro:Person"]);
    expect(() => all.own({ name: "", age: 1, email: null })).toThrow(expect.objectContaining(INVALID));
    expect(readBack(all, all.own({ name: "Ada", age: 1, email: null }))).toStrictEqual({
      name: "Ada",
      age: 1,
      email: null,
    });
  });
});
