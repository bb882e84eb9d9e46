import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockOf, blocksOf, entryAt, keyIn, type PlainEntry } from "../../test/support/entries.js";
import { type EntryBlock, type EntrySource, FLAG_CLEAR, FLAG_DELETE, FLAG_PACKED } from "./entry-block.js";
import { mergeRuns } from "./merge.js";

const CLEAR = FLAG_CLEAR | FLAG_DELETE;
const PACKED = FLAG_CLEAR | FLAG_PACKED;

async function merge(sources: readonly EntrySource[], dropTombstones: boolean): Promise<PlainEntry[]> {
  const merged: PlainEntry[] = [];
  const sink = (block: EntryBlock, at: number): void => {
    merged.push(entryAt(block, at));
  };
  for await (const _ of mergeRuns(sources, sink, { dropTombstones })) void _;
  return merged;
}

/** Runs applied one after the other to a map, oldest first. */
function model(runs: readonly (readonly PlainEntry[])[], dropTombstones: boolean): PlainEntry[] {
  const state = new Map<string, PlainEntry>();
  for (const run of runs) {
    for (const { key, flags } of run) {
      if ((flags & FLAG_CLEAR) === 0) continue;
      for (const other of [...state.keys()]) if (other.startsWith(key)) state.delete(other);
    }
    for (const entry of run) state.set(entry.key, entry);
  }
  const packed = [...state.values()].filter(({ flags }) => (flags & FLAG_PACKED) !== 0);
  const isInPacked = ({ key }: PlainEntry): boolean => packed.some((cell) => key.startsWith(cell.key));
  return [...state.values()]
    .filter((entry) => !dropTombstones || (entry.flags & FLAG_DELETE) === 0 || isInPacked(entry))
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
  }),
);
const run = fc
  .uniqueArray(entry, { selector: ({ key }) => key, maxLength: 12 })
  .map((entries) =>
    entries
      .map(({ key, flags, value }) => ({ key, flags, value: (flags & FLAG_DELETE) === 0 ? value : "" }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
const runs = fc.array(run, { maxLength: 5 });

const at = (rest: string, flags: number, value = ""): PlainEntry => ({ key: keyIn(0, 0, rest), flags, value });
const sources = (...lists: readonly (readonly PlainEntry[])[]): EntrySource[] => lists.map((list) => blocksOf(list, 1));

describe("merging runs", () => {
  test.each([false, true])("gives what applying them in turn gives, dropping deletions: %s", async (drop) => {
    const property = fc.asyncProperty(
      runs,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 5 }),
      async (given, sizes) => {
        const inBlocks = given.map((entries, i) => blocksOf(entries, sizes[i] ?? 1));
        expect(await merge(inBlocks, drop)).toEqual(model(given, drop));
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

  test("T38 keeps what deletes a field of a packed map, also in a base, until the map is cleared or packed anew", async () => {
    const packed = [at("c\0", PACKED, "xy"), at("d\0x", FLAG_DELETE)];
    const deleted = [at("c\0x", FLAG_DELETE)];
    expect(await merge(sources(packed, deleted), true)).toEqual([packed[0], ...deleted]);
    expect(await merge(sources(packed, deleted, [at("c\0", CLEAR)]), true)).toEqual([]);
    const again = at("c\0", PACKED, "y");
    expect(await merge(sources(packed, deleted, [again]), true)).toEqual([again]);
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
