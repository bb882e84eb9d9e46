import type { BinaryKey, StoreEntry } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { GroupRecord } from "./group-record.js";
import { type Part, PartIndex, SharedScans } from "./shared-scans.js";

function partOf(prefix: string, start = prefix, end = `${prefix}\xff`): Part {
  return { prefix: prefix as BinaryKey, start: start as BinaryKey, end: end as BinaryKey };
}

describe("parts of a key group", () => {
  it("S4 a key is in each part whose range it is in, however they begin", () => {
    const parts = [partOf("ab"), partOf("a"), partOf("ab", "abc", "abd"), partOf("b")];
    const index = new PartIndex(parts);
    for (const key of ["a", "ab", "abb", "abc", "abcz", "abd", "b", "c", ""]) {
      const expected = parts.flatMap(({ start, end }, place) => (key >= start && key < end ? [place] : []));
      expect([...index.placesOf(key as BinaryKey)].sort()).toEqual(expected);
    }
    expect(index.commonPrefix).toBe("");
    expect(new PartIndex(parts.slice(0, 3)).commonPrefix).toBe("a");
    const alone = new PartIndex([partOf("ab")]);
    expect([alone.placesOf("abx" as BinaryKey), alone.placesOf("b" as BinaryKey)]).toEqual([[0], []]);
  });
});

describe("scans at the same time", () => {
  it("S4 are answered by a pass that begins after they were asked for, each by what is its own", async () => {
    const record = new GroupRecord(0, "key");
    const passes: number[] = [];
    let goOn: () => void = () => undefined;
    const scans = new SharedScans(async (_record, parts) => {
      passes.push(parts.length);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return parts.map(({ start }): StoreEntry[] => [{ key: start, value: Buffer.alloc(0) }]);
    });
    const first = scans.read(record, partOf("a"));
    await Promise.resolve();
    const later = ["b", "c", "d"].map((prefix) => scans.read(record, partOf(prefix)));
    expect(passes).toEqual([1]);
    goOn();
    expect((await first)[0]?.key).toBe("a");
    await expect.poll(() => passes).toEqual([1, 3]);
    goOn();
    expect((await Promise.all(later)).map((entries) => entries[0]?.key)).toEqual(["b", "c", "d"]);
  });

  it("S4 fail together, and the next ones do not", async () => {
    const record = new GroupRecord(0, "key");
    let failures = 1;
    const scans = new SharedScans(async (_record, parts) => {
      if (failures-- > 0) throw new Error("cut");
      return parts.map(() => []);
    });
    const both = await Promise.allSettled([scans.read(record, partOf("a")), scans.read(record, partOf("b"))]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await scans.read(record, partOf("a"))).toEqual([]);
  });
});
