import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockOf, blocksOf, entryAt, keyIn, type PlainEntry } from "../../test/support/entries.js";
import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import {
  type EntryBlock,
  type EntrySource,
  FLAG_CLEAR,
  FLAG_DELETE,
  FLAG_EXPIRES,
  FLAG_PACKED,
} from "./entry-block.js";
import { type MergeOptions, mergeRuns } from "./merge.js";
import { eachPackedField, PackedFieldWriter } from "./packed-fields.js";

const CLEAR = FLAG_CLEAR | FLAG_DELETE;
const PACKED = FLAG_CLEAR | FLAG_PACKED;
const nowOf = (): undefined => undefined;

async function merge(
  sources: readonly EntrySource[],
  dropTombstones: boolean,
  unpacksAll = false,
): Promise<PlainEntry[]> {
  const merged: PlainEntry[] = [];
  const sink = (block: EntryBlock, at: number): void => {
    merged.push(entryAt(block, at));
  };
  for await (const _ of mergeRuns(sources, sink, { dropTombstones, unpacksAll })) void _;
  return merged;
}

/** The fields of a packed entry, as entries. */
function fieldsOf({ key, value }: PlainEntry): PlainEntry[] {
  const fields: PlainEntry[] = [];
  eachPackedField(new ByteReader(Buffer.from(value, "latin1")), (field, reader) => {
    fields.push({ key: joinKeys(key, field), flags: 0, value: reader.latin1(reader.remaining) });
  });
  return fields;
}

/** A packed value of fields of one character, the same. */
function packed(fields: string): string {
  const out = new ByteWriter();
  const writer = new PackedFieldWriter(out);
  for (const field of [...fields].sort()) {
    writer.begin(field as BinaryKey);
    out.latin1(field);
    writer.end();
  }
  return out.view().toString("latin1");
}

/** Runs applied one after the other to a map, oldest first. */
function model(
  runs: readonly (readonly PlainEntry[])[],
  { dropTombstones, unpacksAll }: Required<MergeOptions>,
): PlainEntry[] {
  const state = new Map<string, PlainEntry>();
  const unpack = (cell: PlainEntry): void => {
    state.set(cell.key, { ...cell, flags: CLEAR, value: "" });
    for (const field of fieldsOf(cell)) if (!state.has(field.key)) state.set(field.key, field);
  };
  for (const run of runs) {
    for (const { key, flags } of run) {
      if ((flags & FLAG_CLEAR) === 0) continue;
      for (const other of [...state.keys()]) if (other.startsWith(key)) state.delete(other);
    }
    for (const entry of run) state.set(entry.key, entry);
    for (const cell of [...state.values()]) {
      const isMixed = [...state.keys()].some((key) => key !== cell.key && key.startsWith(cell.key));
      if ((cell.flags & FLAG_PACKED) !== 0 && (isMixed || unpacksAll)) unpack(cell);
    }
  }
  return [...state.values()]
    .filter(({ flags }) => !dropTombstones || (flags & FLAG_DELETE) === 0)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Containers are cleared at their own key, and nothing but a clear stands there; none begins with another. In the second state are
 * plain entries, which nobody clears. Keys are short and long, so that heads of keys are alike.
 */
const groups = fc.constantFrom(0, 1, 0xffff);
const names = fc.constantFrom("a\0", "b\0", "\0\0", "long container \0");
const subs = fc.constantFrom("", "\0", "x", "y", "xx", "\u00ff", "\u00ff".repeat(12));
const entry = fc.tuple(groups, fc.constantFrom(0, 1), names, subs).chain(([group, state, name, sub]) =>
  fc.record({
    key: fc.constant(keyIn(group, state, name + sub)),
    flags:
      state === 0 && sub === ""
        ? fc.constantFrom<number>(FLAG_CLEAR, CLEAR, PACKED)
        : fc.constantFrom(0, 0, FLAG_DELETE),
    value: fc.constantFrom("", "1", "22"),
    packed: fc.constantFrom("x", "y", "xy", "\0y", "xz", "\u00ff"),
  }),
);
const run = fc.uniqueArray(entry, { selector: ({ key }) => key, maxLength: 12 }).map((entries) =>
  entries
    .map(({ key, flags, value, packed: fields }) => {
      if ((flags & FLAG_PACKED) !== 0) return { key, flags, value: packed(fields) };
      return { key, flags, value: (flags & FLAG_DELETE) === 0 ? value : "" };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1)),
);
const runs = fc.array(run, { maxLength: 5 });

const at = (rest: string, flags: number, value = ""): PlainEntry => ({ key: keyIn(0, 0, rest), flags, value });
const sources = (...lists: readonly (readonly PlainEntry[])[]): EntrySource[] => lists.map((list) => blocksOf(list, 1));

describe("merging runs", () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("gives what applying them in turn gives, dropping deletions: %s, unpacking: %s", async (drop, unpack) => {
    const property = fc.asyncProperty(
      runs,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 5 }),
      async (given, sizes) => {
        const inBlocks = given.map((entries, i) => blocksOf(entries, sizes[i] ?? 1));
        expect(await merge(inBlocks, drop, unpack)).toEqual(
          model(given, { dropTombstones: drop, unpacksAll: unpack, nowOf }),
        );
      },
    );
    await fc.assert(property, { numRuns: 400 });
  });

  test("in two steps gives what merging in one step gives", async () => {
    const property = fc.asyncProperty(runs, runs, async (older, newer) => {
      const first = await merge(sources(...older), false);
      const second = await merge(sources(...newer), false);
      const once = await merge(sources(...older, ...newer), true);
      expect(await merge(sources(first, second), true)).toEqual(once);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test("of nothing, and of empty runs, gives nothing", async () => {
    expect(await merge([], true)).toEqual([]);
    expect(await merge(sources([], []), false)).toEqual([]);
  });

  test("passes over empty blocks", async () => {
    const withGaps = async function* (): AsyncGenerator<EntryBlock> {
      yield blockOf([]);
      yield blockOf([at("a", 0, "1")]);
      yield blockOf([]);
      yield blockOf([at("b", 0, "2")]);
      yield blockOf([]);
    };
    expect(await merge([withGaps()], false)).toEqual([at("a", 0, "1"), at("b", 0, "2")]);
  });

  test("takes the newest of equal keys", async () => {
    const given = sources([at("k", 0, "old")], [at("k", 0, "middle")], [at("k", 0, "new")]);
    expect(await merge(given, false)).toEqual([at("k", 0, "new")]);
  });

  test("keeps a deletion as long as something older may stand below", async () => {
    const lists = [[at("k", 0, "old")], [at("k", FLAG_DELETE)]];
    expect(await merge(sources(...lists), false)).toEqual([at("k", FLAG_DELETE)]);
    expect(await merge(sources(...lists), true)).toEqual([]);
  });

  test("lets a clear remove older entries below it, and none of its own run or newer ones", async () => {
    const older = [at("c\0", 0, "whole"), at("c\0x", 0, "old"), at("c\0y", 0, "old"), at("d\0x", 0, "other")];
    const cleared = [at("c\0", CLEAR), at("c\0y", 0, "same run")];
    const newer = [at("c\0z", 0, "newer")];
    expect(await merge(sources(older, cleared, newer), false)).toEqual([...cleared, ...newer, at("d\0x", 0, "other")]);
    expect(await merge(sources(older, cleared, newer), true)).toEqual([cleared[1], ...newer, at("d\0x", 0, "other")]);
  });

  test("keeps a clear with content of its own, also without its deletions", async () => {
    const replaced = at("c\0", FLAG_CLEAR, "all");
    expect(await merge(sources([at("c\0x", 0, "old")], [replaced]), true)).toEqual([replaced]);
  });

  test("T38 makes entries of the fields of a packed map if a newer run changes one of them, else it stays packed", async () => {
    const map = [at("c\0", PACKED, packed("xyz")), at("d\0x", 0, "other")];
    const newer = [at("c\0a", 0, "new"), at("c\0x", FLAG_DELETE), at("c\0y", 0, "new")];
    const fields = [newer[0], newer[1], newer[2], at("c\0z", 0, "z")];
    expect(await merge(sources(map), true)).toEqual(map);
    expect(await merge(sources(map, newer), false)).toEqual([at("c\0", CLEAR), ...fields, map[1]]);
    expect(await merge(sources(map, newer), true)).toEqual([newer[0], newer[2], fields[3], map[1]]);
    const again = at("c\0", PACKED, packed("y"));
    expect(await merge(sources(map, newer, [again]), true)).toEqual([again, map[1]]);
    expect(await merge(sources(map, newer, [at("c\0", CLEAR)]), true)).toEqual([map[1]]);
  });

  test("T41 keeps the expiry of each field when it makes entries of them", async () => {
    const expiries = Buffer.alloc(16);
    expiries.writeDoubleBE(9, 0);
    expiries.writeDoubleBE(7, 8);
    const [latest, own] = [expiries.toString("latin1", 0, 8), expiries.toString("latin1", 8)];
    const map = at("c\0", PACKED | FLAG_EXPIRES, `${latest}\0\u0001x\u0009${own}v`);
    const newer = [at("c\0y", FLAG_EXPIRES, `${latest}w`)];
    expect(await merge(sources([map], newer), true)).toEqual([at("c\0x", FLAG_EXPIRES, `${own}v`), ...newer]);
  });

  test("closes its sources when it is left early, or when one fails", async () => {
    let closed = 0;
    const watched = async function* (fails: boolean): AsyncGenerator<EntryBlock> {
      try {
        yield blockOf([at("a", 0)]);
        if (fails) throw new Error("mine");
        yield blockOf([at("b", 0)]);
      } finally {
        closed++;
      }
    };
    for await (const _ of mergeRuns([watched(false), watched(false)], () => undefined, { dropTombstones: false })) {
      break;
    }
    expect(closed).toBe(2);
    await expect(merge([watched(false), watched(true)], false)).rejects.toThrow("mine");
    expect(closed).toBe(4);
  });
});
