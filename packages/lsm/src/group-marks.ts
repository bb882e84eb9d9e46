/**
 * Up to which checkpoint each key group is there.
 *
 * Invariants:
 * - A group without a mark is not reported, whatever is stored of it.
 *
 * @see docs/formats.md#leveldb
 */

import type { AppliedGroups, KeyGroups, StoreMark } from "@tidemark/core";

interface Marks {
  readonly mark: StoreMark;
  readonly applying?: StoreMark;
}

type MarkRow = [first: number, last: number, mark: [number, string], applying?: [number, string]];

/** Never changes; each change makes another one. */
export class GroupMarks {
  readonly #groups: ReadonlyMap<number, Marks>;

  private constructor(groups: ReadonlyMap<number, Marks>) {
    this.#groups = groups;
  }

  static readonly none = new GroupMarks(new Map());

  /** The inverse of `toBytes`; `undefined` if `bytes` is not what it returns. */
  static fromBytes(bytes: Uint8Array): GroupMarks | undefined {
    let rows: unknown;
    try {
      rows = JSON.parse(Buffer.from(bytes).toString());
    } catch {
      return undefined;
    }
    if (!Array.isArray(rows)) return undefined;
    const groups = new Map<number, Marks>();
    for (const row of rows) {
      if (!isMarkRow(row)) return undefined;
      const [first, last, mark, applying] = row;
      const marks = { mark: markOf(mark), ...(applying === undefined ? {} : { applying: markOf(applying) }) };
      for (let group = first; group <= last; group++) groups.set(group, marks);
    }
    return new GroupMarks(groups);
  }

  toBytes(): Buffer {
    const rows = this.#ranges([...this.#groups.keys()].sort((a, b) => a - b)).map(
      ({ groups: { first, last }, mark, applying }): MarkRow =>
        applying === undefined
          ? [first, last, [mark.checkpoint, mark.tag]]
          : [first, last, [mark.checkpoint, mark.tag], [applying.checkpoint, applying.tag]],
    );
    return Buffer.from(JSON.stringify(rows));
  }

  /** What is there of `groups`, ascending. */
  applied(groups: KeyGroups): readonly AppliedGroups[] {
    return this.#ranges(groups);
  }

  has(group: number): boolean {
    return this.#groups.has(group);
  }

  /** Whether all of `groups` are at `mark`, and whole. */
  areAt(groups: KeyGroups, mark: StoreMark): boolean {
    for (const group of groups) {
      const marks = this.#groups.get(group);
      if (marks?.applying !== undefined || !isSame(marks?.mark, mark)) return false;
    }
    return true;
  }

  at(groups: KeyGroups, mark: StoreMark): GroupMarks {
    const next = new Map(this.#groups);
    for (const group of groups) next.set(group, { mark });
    return new GroupMarks(next);
  }

  /** Groups that are not there are not reported before the apply has ended. */
  applying(groups: KeyGroups, applying: StoreMark): GroupMarks {
    const next = new Map(this.#groups);
    for (const group of groups) {
      const marks = next.get(group);
      if (marks !== undefined) next.set(group, { mark: marks.mark, applying });
    }
    return new GroupMarks(next);
  }

  without(groups: KeyGroups): GroupMarks {
    const next = new Map(this.#groups);
    for (const group of groups) next.delete(group);
    return new GroupMarks(next);
  }

  #ranges(ascending: Iterable<number>): AppliedGroups[] {
    const ranges: AppliedGroups[] = [];
    for (const group of ascending) {
      const marks = this.#groups.get(group);
      if (marks === undefined) continue;
      const last = ranges.at(-1);
      const continues =
        last?.groups.last === group - 1 && isSame(last.mark, marks.mark) && isSame(last.applying, marks.applying);
      if (continues) ranges[ranges.length - 1] = { ...last, groups: { first: last.groups.first, last: group } };
      else ranges.push({ groups: { first: group, last: group }, ...marks });
    }
    return ranges;
  }
}

function markOf([checkpoint, tag]: [number, string]): StoreMark {
  return { checkpoint, tag };
}

function isSame(a: StoreMark | undefined, b: StoreMark | undefined): boolean {
  return a?.checkpoint === b?.checkpoint && a?.tag === b?.tag;
}

function isMarkRow(row: unknown): row is MarkRow {
  if (!Array.isArray(row) || row.length < 3 || row.length > 4) return false;
  const [first, last, ...marks] = row as unknown[];
  const isRange = Number.isInteger(first) && Number.isInteger(last) && (first as number) <= (last as number);
  return isRange && (first as number) >= 0 && (last as number) <= 0xffff && marks.every(isMarkPair);
}

function isMarkPair(pair: unknown): pair is [number, string] {
  return Array.isArray(pair) && pair.length === 2 && Number.isSafeInteger(pair[0]) && typeof pair[1] === "string";
}
