import { describe, expect, test } from "vitest";
import { blockOf, entriesOf, keyIn, type PlainEntry } from "../../test/support/entries.js";
import { ManualClock } from "../../test/support/manual-clock.js";
import { seededRandom } from "../../test/support/seeded-random.js";
import { openEntries } from "../checkpoint/task-chain.js";
import { segmentLeaf } from "../checkpoint/names.js";
import { FLAG_CLEAR } from "../segment/entry-block.js";
import { Slicer } from "../segment/slicer.js";
import { memoryStorage } from "../storage/memory-storage.js";
import { SegmentSorter } from "./segment-sorter.js";

function sorterOf(memoryBytes: number, outputCount = 1) {
  const place = { storage: memoryStorage(), prefix: "segment/" };
  let count = 0;
  const sorter = new SegmentSorter({
    place,
    outputCount,
    use: (upload) => upload(() => segmentLeaf(1, "0".repeat(32), ++count)),
    compression: "none",
    codecVersions: new Map(),
    slicer: new Slicer(new ManualClock()),
    memoryBytes,
  });
  const add = async (output: number, entry: PlainEntry): Promise<void> => {
    sorter.add(output, entry.key, { block: blockOf([entry]), at: 0 });
    if (sorter.isFull) await sorter.flush();
  };
  return { sorter, add, place };
}

const ascending = (entries: readonly PlainEntry[]): PlainEntry[] =>
  [...entries].sort((a, b) => (a.key < b.key ? -1 : 1));

describe("sorting in bounded memory", () => {
  test.each([1, 500, 5000, 1_000_000])(
    "T76 gives each output all of its entries, sorted, in %i bytes",
    async (memory) => {
      const random = seededRandom(memory);
      const { sorter, add, place } = sorterOf(memory, 3);
      const outputs: PlainEntry[][] = [[], [], []];
      for (let i = 0; i < 400; i++) {
        const entry = { key: keyIn(random.below(8), 1, `${random.below(1000)}.${i}`), flags: 0, value: `v${i}` };
        const output = i % 7 === 0 ? 0 : 1;
        outputs[output]?.push(entry);
        await add(output, entry);
      }
      const { segments, leftOver } = await sorter.finish();
      expect(segments[2]).toBeUndefined();
      for (const [i, segment] of segments.slice(0, 2).entries()) {
        if (segment === undefined) throw new Error("no segment");
        expect(await entriesOf(await openEntries(place, segment, undefined))).toEqual(ascending(outputs[i] ?? []));
        expect(leftOver).not.toContain(segment.name);
      }
      const stored = new Set<string>();
      for await (const { name } of place.storage.list("")) stored.add(name.slice(place.prefix.length));
      expect([...stored].sort()).toEqual([...leftOver, segments[0]?.name, segments[1]?.name].sort());
      expect(leftOver.length > 0).toBe(memory < 100_000);
    },
  );

  test("T76 keeps what comes behind a clear, in whichever run it is", async () => {
    for (const memory of [1, 300, 1_000_000]) {
      const { sorter, add, place } = sorterOf(memory);
      const list = (cell: string): PlainEntry[] => [
        { key: keyIn(1, 2, cell), flags: FLAG_CLEAR, value: "whole" },
        ...Array.from({ length: 40 }, (_, i) => ({
          key: keyIn(1, 2, `${cell}${String.fromCharCode(i)}`),
          flags: 0,
          value: "chunk",
        })),
      ];
      const all = [...list("zz"), ...list("aa"), ...list("mm")];
      for (const entry of all) await add(0, entry);
      const { segments } = await sorter.finish();
      const [segment] = segments;
      if (segment === undefined) throw new Error("no segment");
      expect(await entriesOf(await openEntries(place, segment, undefined))).toEqual(ascending(all));
    }
  });
});
