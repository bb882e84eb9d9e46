import { KeyGroups } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { GroupMarks } from "./group-marks.js";
import { markerText } from "./marker.js";
import { scopePath } from "./scope-path.js";

describe("the records", () => {
  const first = KeyGroups.of([{ first: 0, last: 3 }]);
  const last = KeyGroups.of([
    { first: 3, last: 3 },
    { first: 0xffff, last: 0xffff },
  ]);

  it("of key groups are as docs/formats.md says", () => {
    const marks = GroupMarks.none
      .at(first, { checkpoint: 4, tag: "a" })
      .at(last, { checkpoint: 5, tag: '"' })
      .applying(last, { checkpoint: 6, tag: "b" });
    const text = '[[0,2,[4,"a"]],[3,3,[5,"\\""],[6,"b"]],[65535,65535,[5,"\\""],[6,"b"]]]';
    expect(marks.toBytes().toString()).toBe(text);
    expect(GroupMarks.fromBytes(Buffer.from(text))?.toBytes().toString()).toBe(text);
  });

  it.each([
    "",
    "{}",
    "[[]]",
    "[[0]]",
    '[[1,0,[1,""]]]',
    '[[0,65536,[1,""]]]',
    "[[0,1,[1]]]",
    '[[0,1,["1",""]]]',
    "[[0,1,[1,2]]]",
    '[[0,1,[1,""],[]]]',
  ])("of key groups are not %s", (text) => {
    expect(GroupMarks.fromBytes(Buffer.from(text))).toBeUndefined();
  });

  it("of the format name the scope", () => {
    const scope = { job: "a/b", operator: "counts", maxParallelism: 128, groups: last };
    expect(markerText(scope)).toBe(
      '{"format":"tidemark-lsm","version":2,"job":"a/b","operator":"counts","maxParallelism":128,"groups":[[3,3],[65535,65535]]}\n',
    );
    expect(scopePath(scope)).toEqual([
      "h-6df7cee24c7627c8517c73bf5f10ca677e10b658aa2e6b9c44e2804abebd5671",
      "n-counts",
      "128",
      "g-3-3_65535-65535",
    ]);
  });
});
