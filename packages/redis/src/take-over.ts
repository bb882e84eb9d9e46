/** How key groups are looked at and taken over. */

import { quoted, StateBackendError, type StoreMark, type TaskScope, type Fence } from "@tidemark/core";
import type { Calls } from "./calls.js";
import { markOfText } from "./envelope.js";
import { groupKeys } from "./group-key.js";
import { GroupRecord } from "./group-record.js";
import { lossError } from "./redis-error.js";
import { fenceText, placeOf } from "./redis-space.js";
import { FORMAT_VERSION, TAKE } from "./scripts.js";
import { textOf } from "./reply-text.js";

/** So many calls at once. */
const CALLS = 500;

/** Runs `work` on all of `items`, some at once. */
export async function forAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let first = 0; first < items.length; first += CALLS) {
    const results = await Promise.allSettled(items.slice(first, first + CALLS).map(work));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

export function recordsOf(prefix: string, scope: TaskScope): readonly GroupRecord[] {
  const keyOf = groupKeys(prefix, scope);
  return [...scope.groups].map((group) => new GroupRecord(group, keyOf(group)));
}

/**
 * Refuses what is someone else's, or of a newer version. Changes nothing.
 * @throws {StateBackendError} STATE_INCOMPATIBLE or FORMAT_UNSUPPORTED
 */
export async function inspect(calls: Calls, records: readonly GroupRecord[]): Promise<void> {
  await forAll(records, async (record) => {
    const kind = textOf(await calls.read("type", record.redisKey));
    if (kind === "none") return;
    if (kind !== "hash") throw foreignError(record);
    const version = (await calls.read("hget", record.redisKey, "v")) as Buffer | null;
    if (version === null) throw foreignError(record);
    if (textOf(version) !== FORMAT_VERSION) throw versionError(record, textOf(version));
  });
}

/** Fences whoever had the key groups. Gives the reasons why some of what is there does not count. */
export async function takeOver(
  calls: Calls,
  records: readonly GroupRecord[],
  fence: Fence,
): Promise<readonly string[]> {
  const reasons: string[] = [];
  await forAll(records, async (record) => {
    const reply = await calls.run(TAKE, [record.redisKey], [fenceText(fence)]);
    const [status, mark, applying, entries] = reply.map((word) => textOf(word)) as [string, string, string, string];
    if (status === "FOREIGN") throw foreignError(record);
    if (status === "VERSION") throw versionError(record, mark);
    const marks = [markOfText(record.redisKey, mark), markOfText(record.redisKey, applying)];
    const isWhole = status !== "DAMAGED" && !marks.includes(null);
    record.confirmed = 0;
    record.issued = 0;
    record.mark = isWhole ? (marks[0] as StoreMark | undefined) : undefined;
    record.applying = isWhole && record.mark !== undefined ? (marks[1] as StoreMark | undefined) : undefined;
    record.hasRemains = !isWhole || (record.mark === undefined && entries !== "0");
    if (!isWhole) reasons.push(lossError(placeOf(record), "its record does not fit its entries").message);
  });
  return reasons;
}

function foreignError(record: GroupRecord): StateBackendError {
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    `Something else is stored where working state should be. ${placeOf(record)}. Nothing was changed. Choose another prefix, or another database.`,
  );
}

function versionError(record: GroupRecord, version: string): StateBackendError {
  return new StateBackendError(
    "FORMAT_UNSUPPORTED",
    `Working state was written by a newer version of Tidemark. ${placeOf(record)} version=${quoted(version)} expected=${FORMAT_VERSION}. ` +
      "Use that version, or remove it: its content is rebuilt from the checkpoint.",
  );
}
