import { describe, expect, test } from "vitest";
import { entriesOf, type PlainEntry } from "../../test/support/entries.js";
import { ManualClock } from "../../test/support/manual-clock.js";
import { tableOptions } from "../../test/support/table-history.js";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { EMPTY_KEY, joinKeys, uint16Key } from "../key/binary-key.js";
import { string } from "../key/key-codecs.js";
import { FLAG_CLEAR, FLAG_DELETE, FLAG_PACKED } from "../segment/entry-block.js";
import { eachPackedField, PackedFieldWriter } from "../segment/packed-fields.js";
import { Slicer } from "../segment/slicer.js";
import { integer, text } from "../value/codecs.js";
import type { Epoch } from "./epoch.js";
import { FrozenTable } from "./frozen-table.js";
import { MapTable } from "./map-table.js";

const CLEAR = FLAG_CLEAR | FLAG_DELETE;
const PACKED = FLAG_CLEAR | FLAG_PACKED;
const KEY = "k";
const CELL = joinKeys(
  joinKeys(uint16Key(string().hash(KEY) % 4), uint16Key(tableOptions(false).stateId)),
  string().encode(KEY),
);

class Driver {
  readonly options = { ...tableOptions(false), codec: text(), field: string() };
  readonly epoch: Epoch = this.options.epoch;
  readonly table = new MapTable(this.options);
  readonly #slicer = new Slicer(new ManualClock());

  put(fields: Readonly<Record<string, string>>): void {
    for (const [field, value] of Object.entries(fields)) this.table.put(KEY, EMPTY_KEY, field, value);
  }

  remove(...fields: readonly string[]): void {
    for (const field of fields) this.table.remove(KEY, EMPTY_KEY, field);
  }

  barrier(): FrozenTable {
    const frozen = new FrozenTable([this.table.freeze()], { epoch: this.epoch.number, bytes: 0 });
    this.epoch.number++;
    return frozen;
  }

  encoded(frozen: FrozenTable): Promise<PlainEntry[]> {
    return entriesOf(frozen.entries(this.#slicer));
  }

  /** What a checkpoint of the epoch has, after it has completed. */
  async checkpoint(): Promise<string[]> {
    const frozen = this.barrier();
    const shown = (await this.encoded(frozen)).map(show);
    await frozen.completed(this.#slicer);
    this.epoch.settled = this.epoch.number - 1;
    return shown;
  }

  async completeOnly(frozen: FrozenTable): Promise<void> {
    await frozen.completed(this.#slicer);
  }

  content(): unknown {
    return Object.fromEntries(this.table.entries(KEY, EMPTY_KEY));
  }
}

function show({ key, flags, value }: PlainEntry): string {
  const field = key === CELL ? "" : string().decode(key, CELL.length).key;
  if (flags === CLEAR) return "clear";
  if (flags === FLAG_DELETE) return `delete ${field}`;
  if (flags === 0) return `put ${field}`;
  expect([flags, field]).toEqual([PACKED, ""]);
  const fields: string[] = [];
  eachPackedField(new ByteReader(Buffer.from(value, "latin1")), (name, part) => {
    part.skip(part.remaining);
    fields.push(string().decode(name, 0).key);
  });
  return `packed ${fields.join(" ")}`;
}

function writeFields(fields: readonly (readonly [string, string])[], out: ByteWriter): void {
  const writer = new PackedFieldWriter(out);
  for (const [field, value] of fields) {
    writer.begin(string().encode(field));
    out.latin1(value);
    writer.end();
  }
}

/** `count` fields named a, b, c … */
function letters(count: number, value = "v"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [String.fromCharCode(97 + i), value]));
}

describe("how a map is written", () => {
  test.each([1, 7, 8])("T37 %i fields are one entry, whichever of them was written", async (count) => {
    const map = new Driver();
    map.put(letters(count));
    const all = `packed ${Object.keys(letters(count)).join(" ")}`;
    expect(await map.checkpoint()).toEqual([all]);
    expect(map.table.liveRows).toBe(1);
    map.put({ a: "new" });
    expect(await map.checkpoint()).toEqual([all]);
    map.remove("a");
    expect(await map.checkpoint()).toEqual([count === 1 ? "clear" : all.replace(" a", "")]);
  });

  test("T37 more fields than that are entries of their own, written when they change", async () => {
    const map = new Driver();
    map.put(letters(9));
    expect(await map.checkpoint()).toEqual(["clear", ...Object.keys(letters(9)).map((field) => `put ${field}`)]);
    expect(map.table.liveRows).toBe(9);
    map.put({ b: "new", j: "v" });
    expect(await map.checkpoint()).toEqual(["put b", "put j"]);
    map.remove("c");
    expect(await map.checkpoint()).toEqual(["delete c"]);
  });

  test("T37 nothing is written of a map without fields, but that it has none", async () => {
    const map = new Driver();
    map.put(letters(3));
    map.remove("a", "b", "c");
    expect(await map.checkpoint()).toEqual(["clear"]);
    map.put(letters(9));
    map.table.clear(KEY, EMPTY_KEY);
    expect(await map.checkpoint()).toEqual(["clear"]);
    expect([...map.table.identities()].flat()).toEqual([]);
  });

  test("T38 a packed map that grows is written anew, and one that shrinks is packed again", async () => {
    const map = new Driver();
    map.put(letters(8));
    await map.checkpoint();
    map.put({ i: "v" });
    expect(await map.checkpoint()).toEqual(["clear", ...Object.keys(letters(9)).map((field) => `put ${field}`)]);
    map.remove("i");
    expect(await map.checkpoint()).toEqual(["delete i"]);
    map.put({ b: "new" });
    expect(await map.checkpoint()).toEqual(["packed a b c d e f g h"]);
    map.table.clear(KEY, EMPTY_KEY);
    map.put({ x: "v", y: "v" });
    expect(await map.checkpoint()).toEqual(["packed x y"]);
  });

  test("T39 fields of many bytes are written by themselves, and packed again when they are half as many", async () => {
    const map = new Driver();
    map.put(letters(8, "v".repeat(50)));
    const all = Object.keys(letters(8)).map((field) => `put ${field}`);
    expect(await map.checkpoint()).toEqual(["clear", ...all]);
    expect(map.table.liveRows).toBe(8);
    map.put({ c: "new" });
    expect(await map.checkpoint()).toEqual(["put c"]);
    map.remove("e", "f", "g", "h");
    await map.checkpoint();
    map.put({ a: "new" });
    expect(await map.checkpoint()).toEqual(["packed a b c d"]);
  });

  test("T39 one field of many bytes is never packed, as it is; after a clear it is tried again", async () => {
    const map = new Driver();
    map.put({ a: "v".repeat(2000) });
    expect(await map.checkpoint()).toEqual(["clear", "put a"]);
    map.put({ a: "small" });
    expect(await map.checkpoint()).toEqual(["put a"]);
    map.table.clear(KEY, EMPTY_KEY);
    map.put({ a: "small" });
    expect(await map.checkpoint()).toEqual(["packed a"]);
  });

  test("T39 what a restore finds by itself stays so if its fields are large, else it is packed when written", async () => {
    for (const [size, expected] of [
      [10, ["packed a b c"]],
      [500, ["put a"]],
    ] as const) {
      const map = new Driver();
      for (const field of ["a", "b", "c"]) {
        const value = new ByteReader(Buffer.from("v".repeat(size)));
        map.table.load(joinKeys(CELL, string().encode(field)), 0, value);
      }
      expect(map.table.liveRows).toBe(3);
      map.put({ a: "new" });
      expect(await map.checkpoint()).toEqual(expected);
    }
  });

  test("T38 more fields than this version packs are read, and written by themselves above a clear", async () => {
    const map = new Driver();
    const out = new ByteWriter();
    writeFields(Object.entries(letters(12)), out);
    map.table.load(CELL, PACKED, new ByteReader(out.take()));
    expect(map.content()).toEqual(letters(12));
    map.remove("a");
    const rest = Object.keys(letters(12)).slice(1);
    expect(await map.checkpoint()).toEqual(["clear", ...rest.map((field) => `put ${field}`), "delete a"].sort());
  });
});

describe("what is frozen", () => {
  test("T40 stays as it was at the barrier while the checkpoint is under way, and after it until it is settled", async () => {
    for (const size of [1, 300]) {
      const map = new Driver();
      map.put(letters(8, "v".repeat(size)));
      await map.checkpoint();
      map.put({ b: "second" });
      const frozen = map.barrier();
      const before = await map.encoded(frozen);
      map.put({ a: "later", z: "later" });
      map.remove("c");
      expect(await map.encoded(frozen)).toEqual(before);
      const second = map.barrier();
      const written = await map.encoded(second);
      // Another checkpoint may still read the frozen table when the one that had it has completed.
      await map.completeOnly(frozen);
      map.put({ a: "last", b: "last" });
      map.remove("d");
      expect([await map.encoded(frozen), await map.encoded(second)]).toEqual([before, written]);
      await map.completeOnly(second);
      map.put({ e: "last" });
      map.barrier();
      map.put({ f: "last" });
      expect([await map.encoded(frozen), await map.encoded(second)]).toEqual([before, written]);
    }
  });

  test("T40 stays as it was also if its fields were too many bytes, and are written by themselves from then on", async () => {
    const map = new Driver();
    map.put(letters(8));
    await map.checkpoint();
    map.put({ a: "v".repeat(2000) });
    const frozen = map.barrier();
    const before = await map.encoded(frozen);
    await map.completeOnly(frozen);
    map.put({ b: "later" });
    map.remove("c");
    expect(await map.encoded(frozen)).toEqual(before);
  });
});

describe("a packed entry", () => {
  test("T42 is what the documents say it is, byte for byte", async () => {
    const map = new Driver();
    const table = new MapTable({ ...map.options, codec: integer() });
    table.put(KEY, EMPTY_KEY, "ab", 300);
    table.put(KEY, EMPTY_KEY, "a", 1);
    const [entry] = await map.encoded(new FrozenTable([table.freeze()], { epoch: 1, bytes: 0 }));
    expect(entry).toMatchObject({ key: CELL, flags: 10 });
    expect(Buffer.from(entry?.value ?? "", "latin1").toString("hex")).toBe("00036100010102" + "010362000102d804");
  });

  const load = (fields: readonly (readonly [string, string])[], more = ""): (() => void) => {
    const out = new ByteWriter();
    writeFields(fields, out);
    out.latin1(more);
    return () => new Driver().table.load(CELL, PACKED, new ByteReader(out.take()));
  };

  test.each([
    ["nothing", load([])],
    [
      "fields out of order",
      load([
        ["b", "v"],
        ["a", "v"],
      ]),
    ],
    [
      "a field twice",
      load([
        ["a", "v"],
        ["a", "w"],
      ]),
    ],
    ["a field that ends too early", load([["a", "v"]], "\0\u0005b")],
    ["a field that shares more than there is", load([["a", "v"]], "\u0009\u0001b\u0001v")],
    ["a value that ends too early", load([["a", "v"]], "\0\u0003b\0\u0001\u0005vv")],
  ])("T42 of %s is CHECKPOINT_CORRUPT", (_what, act) => {
    expect(act).toThrow(expect.objectContaining({ code: "CHECKPOINT_CORRUPT" }));
  });
});
