/** Everything that the structured codec keeps, from small domains, so that equal parts meet. */

import fc from "fast-check";

const text = fc.string({
  unit: fc.constantFrom("\u0000", "a", "é", "\uffff", "😀", "__proto__", "constructor"),
  maxLength: 3,
});
const names = fc.oneof(text, fc.constantFrom("1", "-1", "length", "toString")).filter((name) => name !== "__proto__");
const numbers = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 31), -(2 ** 53), 2 ** 64),
);
const bigints = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }),
  fc.bigInt({ min: -(1n << 64n), max: 1n << 64n }),
  fc.bigInt({ min: -(1n << 700n), max: 1n << 700n }),
);
const dates = fc.date({ noInvalidDate: false });

const VIEWS: readonly (new (memory: ArrayBuffer, start: number, count: number) => object)[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** Memory, and views of it that may begin and end inside. */
const memories = fc
  .tuple(fc.uint8Array({ minLength: 16, maxLength: 32 }), fc.nat(VIEWS.length), fc.nat(1), fc.nat(1))
  .map(([bytes, kind, start, count]): object => {
    const { buffer } = Uint8Array.from(bytes);
    const View = VIEWS[kind];
    return View === undefined ? buffer : new View(buffer, start * 8, count);
  });

interface Tree {
  readonly value: unknown;
  readonly leaf: unknown;
}

/** Values, also `undefined`, which is kept as a member only. */
export const structuredMembers = fc.letrec<Tree>((tie) => ({
  leaf: fc.oneof(
    text,
    numbers,
    bigints,
    fc.boolean(),
    fc.constantFrom(null, undefined),
    dates,
    memories,
    fc.string({ unit: "binary", maxLength: 300 }),
  ),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(tie("leaf"), { minLength: 14, maxLength: 18 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4, noNullPrototype: false }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 3 }).map((members) => new Set(members)),
  ),
})).value;

/** Values that can be stored. */
export const structuredValues = structuredMembers.filter((value) => value !== undefined);
