import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { structured } from "./structured-codec.js";

const msgpackr = new Packr({ useRecords: false, int64AsType: "number" });
const codec = structured<unknown>();

const text = fc.string({ unit: "binary", maxLength: 40 });
/** What plain MessagePack has, without -0, which msgpackr writes as the integer 0. */
const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      text.filter((name) => name !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

function written(value: unknown): Buffer {
  const out = new ByteWriter();
  codec.write(codec.own(value), out);
  return out.take();
}

/** msgpackr returns a Buffer for bin. */
function comparable(value: unknown): unknown {
  return codec.own(value);
}

describe("the structured codec and msgpackr", () => {
  test("msgpackr reads what we write", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(comparable(msgpackr.unpack(written(value)))).toStrictEqual(comparable(value));
      }),
    );
  });

  test("we read what msgpackr writes", () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = new Uint8Array(msgpackr.pack(value));
        expect(codec.read(new ByteReader(bytes))).toStrictEqual(comparable(value));
      }),
    );
  });
});
