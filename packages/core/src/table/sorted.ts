/** Sorting by encoded key: the order of segments, and of every enumeration. */

import type { KeyIdentity } from "../contracts/codec.js";
import type { Slicer } from "../segment/slicer.js";

/** What a row sorts by, and its place in the list that is being sorted. */
export interface RowOrder {
  readonly sortKey: string;
  readonly at: number;
}

/** So many keys are sorted in one go: about 2 ms. */
const SORT_RUN = 4096;

function bySortKey(a: RowOrder, b: RowOrder): number {
  return a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0;
}

/** `items`, ascending by the text that `sortKey` gives. */
export function sortedByKey<T>(items: readonly T[], sortKey: (item: T) => string): T[] {
  return items
    .map((item, at) => ({ sortKey: sortKey(item), at }))
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

/** Sorts rows without holding the event loop for longer than a slice. */
export async function sortInSlices(order: RowOrder[], slicer: Slicer): Promise<RowOrder[]> {
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
    if (b === undefined || (a !== undefined && a.sortKey < b.sortKey)) {
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
