/** Changes of the entries of a scope, in transactions of limited size. */

import type { BinaryKey, Delta, KeyGroups, StoreEntry } from "@tidemark/core";
import { ChangeBatch } from "./change-batch.js";
import { CopyRows } from "./copy-rows.js";
import type { Place } from "./place.js";
import { bytesOfKey } from "./row-bytes.js";
import type { ScopeOwner } from "./scope-owner.js";
import { after } from "./stored-key.js";

/** So many rows are deleted by one transaction. */
const DELETES_MAX = 50_000;

/** The changes of `delta` batch by batch; the last one, and only that, says so. There is one at least. */
export async function* changeBatches(
  delta: Delta,
): AsyncGenerator<{ readonly batch: ChangeBatch; readonly isLast: boolean }, void, undefined> {
  let batch = new ChangeBatch();
  for await (const chunk of delta) {
    for (const change of chunk) {
      if (batch.isFull) {
        yield { batch, isLast: false };
        batch = new ChangeBatch();
      }
      batch.add(change);
    }
  }
  yield { batch, isLast: true };
}

/** The rows batch by batch. */
export async function* rowBatches(
  rows: AsyncIterable<readonly StoreEntry[]>,
  scopeId: string,
): AsyncGenerator<Buffer, void, undefined> {
  let batch = new CopyRows(Number(scopeId));
  for await (const chunk of rows) {
    for (const entry of chunk) {
      batch.add(entry);
      if (!batch.isFull) continue;
      yield batch.finish();
      batch = new CopyRows(Number(scopeId));
    }
  }
  if (!batch.isEmpty) yield batch.finish();
}

/** Removes everything of `groups`, in as many transactions as it takes. Nothing may be said of them. */
export async function removeEntries(place: Place, owner: ScopeOwner, groups: KeyGroups): Promise<void> {
  const { tables, database } = place;
  const { scopeId } = owner.row;
  for (const { first, last } of groups.ranges) {
    const end = bytesOfKey(after(groupPrefix(last)));
    let start: Buffer | undefined = bytesOfKey(groupPrefix(first));
    while (start !== undefined) {
      const from: Buffer = start;
      const { rows } = await database.read(
        "Removing",
        `SELECT key FROM ${tables.entry} WHERE scope_id OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.>=) $2
           AND key OPERATOR(pg_catalog.<) $3 ORDER BY key OFFSET ${DELETES_MAX} LIMIT 1`,
        [scopeId, from, end],
      );
      const beyond = rows[0] === undefined ? undefined : Buffer.from((rows[0][0] as string).slice(2), "hex");
      await owner.change(
        "Removing",
        async (session) => {
          await session.query(`DELETE FROM ${tables.entry} WHERE scope_id = $1 AND key >= $2 AND key < $3`, [
            scopeId,
            from,
            beyond ?? end,
          ]);
        },
        async () => undefined,
      );
      start = beyond;
    }
  }
}

function groupPrefix(group: number): BinaryKey {
  return String.fromCharCode(group >>> 8, group & 0xff) as BinaryKey;
}
