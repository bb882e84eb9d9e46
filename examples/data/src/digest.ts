/** SHA-256 of a result, so that two long results can be compared at a glance. */

import { createHash } from "node:crypto";

/** `rows` count as a set: their order does not matter. */
export function digestOf(rows: Iterable<unknown>): string {
  const lines = Array.from(rows, (row) => JSON.stringify(row)).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16);
}
