/** Sorting by encoded key: the order of segments, and of every enumeration. */

import type { KeyIdentity } from "../contracts/codec.js";
import type { Slicer } from "../segment/slicer.js";

/** What a row sorts by, and its place in the list that is being sorted. */
export interface RowOrder {
  readonly sortKey: string;
  readonly at: number;
  /** The first characters in which the keys of the list differ, as a number: mostly it decides, without a look at the text. */
  lead: number;
}

/** So many keys are sorted in one go: about 1 ms. */
const SORT_RUN = 2048;

function bySortKey(a: RowOrder, b: RowOrder): number {
  if (a.lead !== b.lead) return a.lead - b.lead;
  return a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0;
}

export function isSameRow(a: RowOrder, b: RowOrder): boolean {
  return a.lead === b.lead && a.sortKey === b.sortKey;
}

/** Fills in `lead` for a list that is sorted together. */
function setLeads(order: readonly RowOrder[]): void {
  const shared = sharedLength(order);
  for (const row of order) {
    const { sortKey } = row;
    // A missing character sorts as U+0000 does; then the text decides.
    row.lead =
      (unitAt(sortKey, shared) * 0x1_0000 + unitAt(sortKey, shared + 1)) * 0x1_0000 + unitAt(sortKey, shared + 2);
  }
}

function unitAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}

/** With how many characters all keys begin alike. */
function sharedLength(order: readonly RowOrder[]): number {
  const first = order[0]?.sortKey ?? "";
  let shared = first.length;
  for (const { sortKey } of order) {
    let at = 0;
    while (at < shared && at < sortKey.length && sortKey.charCodeAt(at) === first.charCodeAt(at)) at++;
    shared = at;
    if (shared === 0) break;
  }
  return shared;
}

/** `items`, ascending by the text that `sortKey` gives. */
export function sortedByKey<T>(items: readonly T[], sortKey: (item: T) => string): T[] {
  return items
    .map((item, at) => ({ sortKey: sortKey(item), at, lead: 0 }))
    .sort(bySortKey)
    .map(({ at }) => items[at] as T);
}

/** Identities of cells by key group, ascending by key group and, inside one, by the text that `sortKey` gives. */
export function* sortedByGroup<Cell extends { readonly identity: KeyIdentity; readonly group: number }>(
  cells: readonly Cell[],
  sortKey: (cell: Cell) => string,
): Generator<KeyIdentity[], void, undefined> {
  const groups = new Map<number, Cell[]>();
  for (const cell of cells) {
    const group = groups.get(cell.group);
    if (group === undefined) groups.set(cell.group, [cell]);
    else group.push(cell);
  }
  for (const group of [...groups.keys()].sort((a, b) => a - b)) {
    yield sortedByKey(groups.get(group) ?? [], sortKey).map(({ identity }) => identity);
  }
}

/** Sorts rows, equal ones in the order they come, without holding the event loop for longer than a slice. */
export async function sortInSlices(order: RowOrder[], slicer: Slicer): Promise<RowOrder[]> {
  setLeads(order);
  if (order.length <= SORT_RUN) return order.sort(bySortKey);
  let runs: RowOrder[][] = [];
  for (let at = 0; at < order.length; at += SORT_RUN) {
    runs.push(order.slice(at, at + SORT_RUN).sort(bySortKey));
    if (slicer.isDue()) await slicer.pause();
  }
  while (runs.length > 1) {
    const merged: RowOrder[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(await mergeTwo(runs[i] ?? [], runs[i + 1] ?? [], slicer));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeTwo(left: readonly RowOrder[], right: readonly RowOrder[], slicer: Slicer): Promise<RowOrder[]> {
  const merged: RowOrder[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    if (b === undefined || (a !== undefined && bySortKey(a, b) <= 0)) {
      merged.push(a as RowOrder);
      l++;
    } else {
      merged.push(b);
      r++;
    }
    if (merged.length % SORT_RUN === 0 && slicer.isDue()) await slicer.pause();
  }
  return merged;
}
