import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../bytes/byte-writer.js";
import { hasCode } from "../errors.js";
import { handOut, ownJson, ownValue } from "./own.js";
import { structuredValues } from "../../test/structured-values.js";
import { writeStructured } from "./structured-writer.js";

class Point {
  x = 1;
}

class SpecialMap extends Map<unknown, unknown> {}
class SpecialBytes extends Uint8Array {}

function cyclic(): unknown {
  const node: Record<string, unknown> = { name: "a" };
  node.inner = { list: [1, node] };
  return node;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? { a: value } : [value];
  return value;
}

function nestedMap(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? new Map([["a", value]]) : new Set([value]);
  return value;
}

function doubling(levels: number): unknown {
  let value: unknown = [1];
  for (let level = 0; level < levels; level++) value = [value, value];
  return value;
}

function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

function withHole(): unknown[] {
  const list: unknown[] = [1];
  list[2] = 3;
  return list;
}

function withAccessor(): object {
  return Object.defineProperty({}, "when", { get: () => 1, enumerable: true });
}

function withOwnProto(): object {
  return JSON.parse('{"__proto__": 1}') as object;
}

/** The error of a refusal; its message holds the path. */
function refusalOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (hasCode(error, "VALUE_INVALID")) return error as Error;
    throw error;
  }
  throw new Error("The value was not refused.");
}

function encodingOf(value: unknown): string {
  const out = new ByteWriter();
  writeStructured(value, out);
  return out.take().toString("latin1");
}

/** Does to a value all that someone who holds it can. */
function vandalize(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Date) value.setTime(1);
  else if (value instanceof ArrayBuffer) new Uint8Array(value).fill(255);
  else if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(255);
  else if (value instanceof Map || value instanceof Set) vandalizeMembers(value);
  else vandalizePlain(value as Record<string, unknown>);
}

function vandalizeMembers(value: Map<unknown, unknown> | Set<unknown>): void {
  for (const [key, member] of value.entries()) {
    vandalize(key);
    vandalize(member);
  }
  value.clear();
}

function vandalizePlain(value: Record<string, unknown>): void {
  for (const name of Object.keys(value)) {
    vandalize(value[name]);
    Reflect.set(value, name, "changed");
  }
  Reflect.set(value, "added", 1);
  if (Array.isArray(value)) Reflect.set(value, "length", 0);
}

describe("T3 T4 T5 ownValue", () => {
  test("what it returns equals what it was given", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const before = encodingOf(value);
        expect(encodingOf(ownValue(value))).toBe(before);
      }),
    );
  });

  test("no later change by the caller reaches the stored value", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const owned = ownValue(value);
        const stored = encodingOf(owned);
        vandalize(value);
        expect(encodingOf(owned)).toBe(stored);
      }),
    );
  });

  test("no change by a reader reaches the stored value", () => {
    fc.assert(
      fc.property(structuredValues, (value) => {
        const owned = ownValue(value);
        const stored = encodingOf(owned);
        expect(encodingOf(handOut(owned))).toBe(stored);
        vandalize(handOut(owned));
        expect(encodingOf(owned)).toBe(stored);
        expect(encodingOf(handOut(owned))).toBe(stored);
      }),
    );
  });

  test("plain data is frozen in place, at every depth, and handed out as it is", () => {
    const value = { list: [{ a: 1 }, null], text: "x", bare: Object.assign(Object.create(null), { b: [2] }) as object };
    expect(ownValue(value)).toBe(value);
    const parts = [value, value.list, value.list[0], value.bare];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(handOut(value)).toBe(value);
    expect(ownValue(value)).toBe(value);
  });

  test("the way to a copied member is copied, the rest is shared, and the caller's containers stay open", () => {
    const plain = { a: 1 };
    const value = { plain, inner: { when: new Date(5) } };
    const owned = ownValue(value) as typeof value;
    expect(owned).not.toBe(value);
    expect(owned.inner).not.toBe(value.inner);
    expect(owned.plain).toBe(plain);
    expect(Object.isFrozen(owned.inner) && Object.isFrozen(owned)).toBe(true);
    expect(Object.isFrozen(value) || Object.isFrozen(value.inner)).toBe(false);
    expect(isDeepStrictEqual(owned, value)).toBe(true);
  });

  test("a frozen container is looked through all the same", () => {
    const inner = { a: 1 };
    const value = Object.freeze({ inner, bytes: new Uint8Array([1]) });
    const owned = ownValue(value) as typeof value;
    expect(Object.isFrozen(inner)).toBe(true);
    expect(owned.bytes).not.toBe(value.bytes);
    expect(() => ownValue(Object.freeze({ inner: [() => 1] }))).toThrow("at=value.inner[0]");
  });

  test("typed arrays are copied without the memory around them, and a Buffer becomes a Uint8Array", () => {
    const memory = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const [words, buffer, view] = ownValue([
      new Uint16Array(memory, 2, 2),
      Buffer.from(memory, 1, 2),
      new DataView(memory, 4, 3),
    ]) as [Uint16Array, Uint8Array, DataView];
    expect([words.buffer.byteLength, buffer.buffer.byteLength, view.buffer.byteLength]).toEqual([4, 2, 3]);
    expect([...words]).toEqual([...new Uint16Array(memory, 2, 2)]);
    expect(Object.getPrototypeOf(buffer)).toBe(Uint8Array.prototype);
    expect(view.getUint8(0)).toBe(5);
  });

  test("shared references are fine", () => {
    const shared = { a: 1 };
    expect(ownValue([shared, shared, { shared }])).toEqual([{ a: 1 }, { a: 1 }, { shared: { a: 1 } }]);
    const date = new Date(0);
    expect(ownValue([date, date])).toEqual([date, date]);
  });

  test("primitives pass", () => {
    for (const value of [0, -0, Number.NaN, 1n, "", "é😀", true, null]) expect(ownValue(value)).toBe(value);
  });

  test.each<[string, unknown, string]>([
    ["a function", { items: [1, { when: () => 1 }] }, "value.items[1].when"],
    ["a symbol", [Symbol("x")], "value[0]"],
    ["undefined alone", undefined, "value"],
    ["a class instance", { "a b": new Point() }, 'value["a b"]'],
    ["an error", { e: new Error("x") }, "value.e"],
    ["a regular expression", [/x/], "value[0]"],
    ["a promise", [Promise.resolve()], "value[0]"],
    ["a boxed number", [Object(1)], "value[0]"],
    ["a Map of a subclass", { m: new SpecialMap() }, "value.m"],
    ["a typed array of a subclass", [new SpecialBytes(1)], "value[0]"],
    ["shared memory", [new SharedArrayBuffer(1)], "value[0]"],
    ["a Date in name only", [Object.create(Date.prototype)], "value[0]"],
    ["an array in name only", [Object.create(Array.prototype)], "value[0]"],
    ["a typed array in name only", [Object.setPrototypeOf(new Date(), Uint8Array.prototype)], "value[0]"],
    ["an array dressed as an object", [Object.setPrototypeOf([], Object.prototype)], "value[0]"],
    ["a proxy", { p: new Proxy({}, {}) }, "value.p"],
    ["memory that was transferred", [detachedBytes()], "value[0]"],
    ["an accessor", [withAccessor()], "value[0].when"],
    ["a setter", [Object.defineProperty({}, "s", { set: () => 1, enumerable: true })], "value[0].s"],
    ["a hidden property", [Object.defineProperty({}, "h", { value: 1 })], "value[0].h"],
    ["a symbol key", { a: { [Symbol("x")]: 1 } }, "value.a"],
    ["a symbol key of an array", [Object.assign([1], { [Symbol("x")]: 1 })], "value[0]"],
    ["an own __proto__", { a: withOwnProto() }, "value.a.__proto__"],
    ["a sparse array", { a: withHole() }, "value.a"],
    ["an array that is all holes", new Array(3), "value"],
    ["a hole made up for by a name", Object.assign(new Array(1), { x: 1 }), "value[0]"],
    ["named properties of an array", Object.assign([1, 2], { x: 1 }), "value"],
    ["an accessor in an array", [Object.defineProperty([1], 0, { get: () => 1, enumerable: true })], "value[0][0]"],
    ["a setter in an array", [Object.defineProperty([1], 0, { set: () => 1, enumerable: true })], "value[0][0]"],
    ["properties of a Map", [Object.assign(new Map(), { x: 1 })], "value[0]"],
    ["properties of a Date", [Object.assign(new Date(), { x: 1 })], "value[0]"],
    ["a lone surrogate", { a: "\ud800" }, "value.a"],
    ["a lone surrogate in a key", { a: { "\udc00": 1 } }, 'value.a["\\udc00"]'],
    ["a key of a Map", new Map([[{ f: () => 1 }, 1]]), "value.keys()[0].f"],
    [
      "a value of a Map",
      new Map([
        ["a", 1],
        ["b", Symbol("x")],
      ] as [string, unknown][]),
      "value.values()[1]",
    ],
    ["a member of a Set", [new Set([1, () => 1])], "value[0].values()[1]"],
    ["a cycle", [cyclic()], "value[0].inner.list[1]."],
    [
      "a cycle through a Map",
      (() => {
        const map = new Map<string, unknown>();
        map.set("m", map);
        return map;
      })(),
      "value.values()[0].",
    ],
    ["nesting 501 deep", nested(501), "value"],
    ["nesting of Maps and Sets 501 deep", nestedMap(501), "value"],
    ["nesting 50,000 deep", nested(50_000), "value"],
    ["a small object that stands for 2^40 members", doubling(40), "value"],
    ["an array of 2^32-1 holes", new Array(2 ** 32 - 1), "value"],
  ])("%s is refused with its path", (_, value, path) => {
    expect(refusalOf(() => ownValue(value)).message).toContain(`at=${path}`);
  });

  test("a cycle is told from mere depth", () => {
    expect(() => ownValue(cyclic())).toThrow("a reference back");
    expect(() => ownValue(nested(501))).toThrow("more than 500 deep");
  });

  test("accessors do not run", () => {
    const fail = (): never => {
      throw new Error("ran");
    };
    const value = Object.defineProperty({}, "x", { get: fail, enumerable: true });
    const list = Object.defineProperty([1], 0, { get: fail, enumerable: true });
    for (const hostile of [value, list, new Proxy({}, { getPrototypeOf: fail })]) refusalOf(() => ownValue([hostile]));
  });

  test("nothing is frozen or changed when a value is refused", () => {
    const date = new Date(7);
    const value = { first: { a: [1] }, date, list: [{ b: 2 }, () => 1] };
    refusalOf(() => ownValue(value));
    for (const part of [value, value.first, value.first.a, value.list, value.list[0]]) {
      expect(Object.isFrozen(part) || Object.isSealed(part)).toBe(false);
    }
    expect(value.date).toBe(date);
  });

  test("500 levels are stored", () => {
    expect(encodingOf(ownValue(nested(500))).length).toBeGreaterThan(500);
    expect(encodingOf(ownValue(nestedMap(500))).length).toBeGreaterThan(500);
  });

  test("prototypes are never polluted", () => {
    for (const name of ["constructor", "prototype", "toString", "hasOwnProperty"]) {
      ownValue({ [name]: { polluted: 1 } });
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("handOut", () => {
  test("instances that a codec of the user's own keeps are handed out as they are", () => {
    const point = new Point();
    expect(handOut(point)).toBe(point);
  });
});

describe("ownJson", () => {
  test("what JSON expresses is frozen in place", () => {
    const value = { a: [1, "x", null, true, { b: -0 }] };
    expect(ownJson(value)).toBe(value);
    expect(Object.isFrozen(value.a[4])).toBe(true);
    expect(ownJson(1)).toBe(1);
  });

  test.each<[string, unknown]>([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["an infinity", [Number.POSITIVE_INFINITY]],
    ["a bigint", { a: 1n }],
    ["an undefined member", { a: undefined }],
    ["an undefined element", [undefined]],
    ["a Date", [new Date(0)]],
    ["a Map", new Map()],
    ["a Uint8Array", new Uint8Array(1)],
    ["an object without prototype", Object.create(null)],
    ["a function", () => 1],
    ["an own __proto__", withOwnProto()],
  ])("%s is refused", (_, value) => {
    refusalOf(() => ownJson(value));
  });
});
