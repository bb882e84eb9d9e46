/** What is enumerated comes in the order of encoded keys. */

import type { KeyIdentity } from "../contracts/codec.js";
import { sortFewKeys, TextKeys } from "./sort-keys.js";

/** `items`, ascending by the text that `sortKey` gives. */
export function sortedByKey<T>(items: readonly T[], sortKey: (item: T) => string): T[] {
  const places = sortFewKeys(new TextKeys(items.map((item) => sortKey(item))));
  return Array.from(places, (at) => items[at] as T);
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
