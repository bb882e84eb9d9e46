/**
 * What is said of key groups: up to which checkpoint they are whole, and which one is being applied.
 *
 * Invariants:
 * - A row stands for key groups that are open in one handle at most: `split` sees to that when the handle opens.
 */

import type { AppliedGroups, KeyGroupRange, StoreMark } from "@tidemark/core";
import { KeyGroups } from "@tidemark/core";
import type { Session } from "./database.js";
import { keyOfHex } from "./stored-value.js";
import type { Tables } from "./tables.js";

/** `groups` as a value of type `int4multirange`. */
export function multirange(groups: KeyGroups): string {
  return `{${groups.ranges.map(({ first, last }) => `[${first},${last + 1})`).join(",")}}`;
}

/** What is said of `groups`, ascending. */
export async function readMarks(
  session: Session,
  tables: Tables,
  scopeId: string,
  groups: KeyGroups,
): Promise<readonly AppliedGroups[]> {
  const { rows } = await session.query(
    `SELECT first_group::text, last_group::text, checkpoint::text, tag, next_checkpoint::text, next_tag FROM ${tables.applied}
     WHERE scope_id = $1 AND int4range(first_group, last_group, '[]') <@ $2::int4multirange ORDER BY first_group`,
    [scopeId, multirange(groups)],
  );
  return rows.map(([first, last, checkpoint, tag, nextCheckpoint, nextTag]) => ({
    groups: { first: Number(first), last: Number(last) },
    mark: markOf(checkpoint, tag),
    ...(nextTag === null ? {} : { applying: markOf(nextCheckpoint, nextTag) }),
  }));
}

/** Cuts rows that reach beyond `groups` in two: nothing is said differently by that. */
export async function split(session: Session, tables: Tables, scopeId: string, groups: KeyGroups): Promise<void> {
  const range = "int4multirange(int4range(first_group, last_group, '[]'))";
  await session.query(
    `WITH gone AS (
       DELETE FROM ${tables.applied} WHERE scope_id = $1
         AND ${range} && $2::int4multirange AND NOT ${range} <@ $2::int4multirange RETURNING *)
     INSERT INTO ${tables.applied}
       SELECT scope_id, lower(part), upper(part) - 1, checkpoint, tag, next_checkpoint, next_tag
       FROM gone, LATERAL (
         SELECT unnest(${range} - $2::int4multirange) UNION ALL SELECT unnest(${range} * $2::int4multirange)) AS parts (part)`,
    [scopeId, multirange(groups)],
  );
}

/** Nothing is said of `groups` any more. */
export async function removeMarks(session: Session, tables: Tables, scopeId: string, groups: KeyGroups): Promise<void> {
  await split(session, tables, scopeId, groups);
  await session.query(
    `DELETE FROM ${tables.applied} WHERE scope_id = $1 AND int4range(first_group, last_group, '[]') <@ $2::int4multirange`,
    [scopeId, multirange(groups)],
  );
}

/** `groups` are whole, as of `mark`. Nothing may be said of them before. */
export async function addMarks(
  session: Session,
  tables: Tables,
  scopeId: string,
  { groups, mark }: { readonly groups: KeyGroups; readonly mark: StoreMark },
): Promise<void> {
  await session.query(
    `INSERT INTO ${tables.applied} (scope_id, first_group, last_group, checkpoint, tag)
     SELECT $1, lower(part), upper(part) - 1, $3, $4 FROM unnest($2::int4multirange) AS parts (part)`,
    [scopeId, multirange(groups), mark.checkpoint, Buffer.from(mark.tag, "latin1")],
  );
}

/** `mark` is being applied to what there is of `groups`. */
export async function startMarks(
  session: Session,
  tables: Tables,
  scopeId: string,
  { groups, mark }: { readonly groups: KeyGroups; readonly mark: StoreMark },
): Promise<void> {
  await session.query(
    `UPDATE ${tables.applied} SET next_checkpoint = $3, next_tag = $4
     WHERE scope_id = $1 AND int4range(first_group, last_group, '[]') <@ $2::int4multirange`,
    [scopeId, multirange(groups), mark.checkpoint, Buffer.from(mark.tag, "latin1")],
  );
}

/** Whether every one of `groups` is whole, as of `mark`. */
export function areAt(marks: readonly AppliedGroups[], groups: KeyGroups, mark: StoreMark): boolean {
  const there = marks.filter(
    ({ mark: { checkpoint, tag }, applying }) =>
      applying === undefined && checkpoint === mark.checkpoint && tag === mark.tag,
  );
  return groups.isSubsetOf(KeyGroups.of(there.map(({ groups: range }) => range)));
}

/** Those of `groups` of which nothing is said. */
export function unmarked(marks: readonly AppliedGroups[], groups: KeyGroups): KeyGroups {
  const said = KeyGroups.of(marks.map(({ groups: range }) => range));
  const missing: KeyGroupRange[] = [];
  for (const group of groups) if (!said.has(group)) missing.push({ first: group, last: group });
  return KeyGroups.of(missing);
}

function markOf(checkpoint: string | null | undefined, tag: string | null | undefined): StoreMark {
  return { checkpoint: Number(checkpoint), tag: keyOfHex(tag as string) };
}
