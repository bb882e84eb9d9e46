/** Puts long keys in order: rows have them by a hash, among those that begin with the same 1,024 bytes. */

import type { Row } from "./database.js";
import { HEAD_BYTES } from "./stored-key.js";

/** Characters of the head in a row: `\x` and two digits per byte. */
const HEAD_CHARACTERS = 2 + 2 * HEAD_BYTES;

/** The rows of `pages`, ascending by the whole key. Rows that share a head are in memory together. */
export async function* sortedHeads(
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const held: Row[] = [];
  for await (const rows of pages) {
    // Nearly always: no long keys at all.
    if (held.length === 0 && rows.every(([, , tail]) => tail === null)) {
      yield rows;
      continue;
    }
    const out: Row[] = [];
    for (const row of rows) {
      if (held.length > 0 && headOf(row) !== headOf(held[0] as Row)) out.push(...byTail(held.splice(0)));
      if (row[2] === null) out.push(row);
      else held.push(row);
    }
    if (out.length > 0) yield out;
  }
  if (held.length > 0) yield byTail(held);
}

function headOf([key, , tail]: Row): string | undefined {
  return tail === null ? undefined : key?.slice(0, HEAD_CHARACTERS);
}

function byTail(rows: Row[]): readonly Row[] {
  return rows.sort(([, , a], [, , b]) => ((a as string) < (b as string) ? -1 : 1));
}
