/** What a handle knows of one key group. */

import type { AppliedGroups, StoreMark } from "@tidemark/core";

export class GroupRecord {
  readonly group: number;
  readonly redisKey: string;
  /** `undefined`: nothing is held of it. */
  mark: StoreMark | undefined;
  applying: StoreMark | undefined;
  /** Whether there may be entries that no mark stands for. */
  hasRemains = false;
  /** The token of the last write that surely took place, and of the last that was sent. */
  confirmed = 0;
  issued = 0;
  /** Writes come one after the other. */
  tail: Promise<unknown> = Promise.resolve();

  constructor(group: number, redisKey: string) {
    this.group = group;
    this.redisKey = redisKey;
  }

  /** Whether it is at `mark`, and whole. */
  isAt(mark: StoreMark): boolean {
    return this.applying === undefined && isSame(this.mark, mark);
  }
}

/** What is held, ascending: consecutive groups with the same marks are one range. */
export function appliedOf(records: Iterable<GroupRecord>): readonly AppliedGroups[] {
  const ranges: AppliedGroups[] = [];
  for (const { group, mark, applying } of records) {
    if (mark === undefined) continue;
    const last = ranges.at(-1);
    if (last?.groups.last === group - 1 && isSame(last.mark, mark) && isSame(last.applying, applying)) {
      ranges[ranges.length - 1] = { ...last, groups: { first: last.groups.first, last: group } };
    } else {
      ranges.push({ groups: { first: group, last: group }, mark, ...(applying === undefined ? {} : { applying }) });
    }
  }
  return ranges;
}

function isSame(a: StoreMark | undefined, b: StoreMark | undefined): boolean {
  return a?.checkpoint === b?.checkpoint && a?.tag === b?.tag;
}
