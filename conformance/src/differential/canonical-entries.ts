/**
 * The entries of a savepoint, in the one form that all backends agree on.
 *
 * A backend may pack the fields of a map or not, cut a list into chunks anywhere, and keep what has expired: none of that is
 * content. So here each field is a row, each list is a row of all its elements, and what had expired at the barrier is absent.
 */

import { CLEAR, Cursor, DELETE, EXPIRES, PACKED, type RawEntry } from "./read-segment.js";

const CHUNK_KEY_BYTES = 10;
const EXPIRY_BYTES = 8;
const PREFIX_BYTES = 4;

/** What a state is, as far as its bytes go. */
export interface EntryState {
  readonly kind: string;
  /** From when on a stamp has expired; absent if nothing expires. */
  readonly expiredAt?: number;
}

/** A row: the composite key without the id of the state, and what stands there. */
export interface CanonicalRow {
  readonly state: number;
  /** Key group, key, namespace, field. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The rows of one segment that stands on nothing older. */
export function canonicalRows(
  entries: readonly RawEntry[],
  stateOf: (id: number) => EntryState,
): readonly CanonicalRow[] {
  const rows: CanonicalRow[] = [];
  const lists = new Map<string, { readonly row: CanonicalRow; readonly elements: Buffer[] }>();
  for (const entry of entries) {
    if ((entry.flags & DELETE) !== 0) continue;
    const state = entry.key.readUInt16BE(2);
    const about = stateOf(state);
    if (isListKind(about.kind)) addToList(lists, entry, about);
    else if ((entry.flags & PACKED) !== 0) rows.push(...fieldsOf(entry, about));
    else if (isLive(entry, about)) rows.push({ state, key: withoutState(entry.key), value: entry.value });
  }
  for (const { row, elements } of lists.values()) {
    if (elements.length > 0) rows.push({ ...row, value: Buffer.concat(elements) });
  }
  return rows;
}

function isListKind(kind: string): boolean {
  return kind === "list" || kind === "split-list" || kind === "union-list";
}

function withoutState(key: Buffer): Buffer {
  return Buffer.concat([key.subarray(0, 2), key.subarray(PREFIX_BYTES)]);
}

function isLive({ flags, value }: Pick<RawEntry, "flags" | "value">, { expiredAt }: EntryState): boolean {
  return (flags & EXPIRES) === 0 || value.readDoubleBE(0) > (expiredAt ?? -Infinity);
}

/** Chunks come in the order of their elements, behind the row that has replaced the list. */
function addToList(
  lists: Map<string, { readonly row: CanonicalRow; readonly elements: Buffer[] }>,
  { key, flags, value }: RawEntry,
  { expiredAt }: EntryState,
): void {
  const container = (flags & CLEAR) === 0 ? key.subarray(0, -CHUNK_KEY_BYTES) : key;
  const name = container.toString("latin1");
  const row = { state: key.readUInt16BE(2), key: withoutState(container), value };
  const list = lists.get(name) ?? { row, elements: [] };
  lists.set(name, list);
  const cursor = new Cursor(value);
  for (let left = cursor.varint(); left > 0; left--) {
    const bytes = cursor.varint();
    const element = cursor.take(bytes);
    const isGone = expiredAt !== undefined && element.readDoubleBE(0) <= expiredAt;
    // Its length goes in front: else two elements look like one.
    if (!isGone) list.elements.push(Buffer.from(`${bytes}:`), element);
  }
}

function fieldsOf({ key, flags, value }: RawEntry, about: EntryState): CanonicalRow[] {
  const rows: CanonicalRow[] = [];
  const cursor = new Cursor((flags & EXPIRES) === 0 ? value : value.subarray(EXPIRY_BYTES));
  let field: Buffer = Buffer.alloc(0);
  while (!cursor.isAtEnd) {
    const shared = cursor.varint();
    field = Buffer.concat([field.subarray(0, shared), cursor.take(cursor.varint())]);
    const row = { key: withoutState(Buffer.concat([key, field])), value: cursor.take(cursor.varint()) };
    if (isLive({ flags, value: row.value }, about)) rows.push({ state: key.readUInt16BE(2), ...row });
  }
  return rows;
}
