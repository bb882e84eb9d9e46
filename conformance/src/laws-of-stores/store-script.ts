/** The words in which the laws of `Store` are written. */

import assert from "node:assert/strict";
import {
  type AppliedGroups,
  type BinaryKey,
  type Change,
  type Delta,
  type ErrorCode,
  hasCode,
  KeyGroups,
  type Store,
  type StoreEntry,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";
import { newFence, type StoreHarness } from "./store-harness.js";

export const GROUPS = KeyGroups.of([{ first: 0, last: 3 }]);
export const SCOPE: TaskScope = Object.freeze({ job: "job", operator: "operator", maxParallelism: 8, groups: GROUPS });
/** Beyond the last key of every group of `SCOPE`. */
export const EVERYTHING = Object.freeze({ start: "" as BinaryKey, end: keyOf(8) });

/** The key `rest` of key group `group`; `rest` is one byte per character. */
export function keyOf(group: number, rest = ""): BinaryKey {
  return (String.fromCharCode(group >>> 8, group & 0xff) + rest) as BinaryKey;
}

export function markOf(checkpoint: number, tag = "a"): StoreMark {
  return { checkpoint, tag };
}

export function put(key: BinaryKey, value: string): Change {
  return { kind: "put", key, value: Buffer.from(value, "latin1") };
}

/** `chunks` as a delta that can be iterated again. */
export function deltaOf(...chunks: readonly (readonly Change[])[]): Delta {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

/** Holds up whoever waits for `passed` until it is opened. */
export class Gate {
  open: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

export class Interruption extends Error {}

/** `chunks`, and then an error. */
export function interruptedAfter<Row>(...chunks: readonly (readonly Row[])[]): AsyncIterable<readonly Row[]> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
      throw new Interruption("The rest is not there.");
    },
  };
}

export async function* rowsOf(
  ...rows: readonly (readonly [BinaryKey, string])[]
): AsyncGenerator<readonly StoreEntry[]> {
  if (rows.length > 0) yield rows.map(([key, value]) => ({ key, value: Buffer.from(value, "latin1") }));
}

/** A handle that is open, and what it reported. */
export async function opened(
  harness: StoreHarness,
  scope: TaskScope = SCOPE,
): Promise<{ readonly store: Store; readonly applied: readonly AppliedGroups[] }> {
  const store = harness.create();
  return { store, applied: await store.open(scope, newFence()) };
}

/** The same place after `close`. */
export async function reopened(
  harness: StoreHarness,
  store: Store,
  scope: TaskScope = SCOPE,
): ReturnType<typeof opened> {
  await store.close();
  return opened(harness, scope);
}

/** Everything of `range`, as text. Fails if a chunk is empty of entries, out of order or out of the range. */
export async function scanned(store: Store, range = EVERYTHING): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for await (const chunk of store.scan(range)) {
    for (const { key, value } of chunk) {
      assert(range.start <= key && key < range.end, `Key ${JSON.stringify(key)} is out of the range.`);
      const last = found.at(-1);
      assert(
        last === undefined || last[0] < key,
        `Key ${JSON.stringify(key)} comes after ${JSON.stringify(last?.[0])}.`,
      );
      found.push([key, textOf(value)]);
    }
  }
  return found;
}

export async function read(store: Store, ...keys: readonly BinaryKey[]): Promise<readonly (string | undefined)[]> {
  const values = await store.getMany(keys);
  return values.map((value) => (value === undefined ? undefined : textOf(value)));
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
}

/** `applied` group by group: how it is cut into ranges is up to the store, as long as they ascend. */
export function byGroup(applied: readonly AppliedGroups[]): ReadonlyMap<number, Omit<AppliedGroups, "groups">> {
  const groups = new Map<number, Omit<AppliedGroups, "groups">>();
  let next = 0;
  for (const { groups: range, mark, applying } of applied) {
    assert(range.first >= next && range.first <= range.last, "Ranges do not ascend.");
    next = range.last + 1;
    const marks = { mark: { ...mark }, ...(applying === undefined ? {} : { applying: { ...applying } }) };
    for (let group = range.first; group <= range.last; group++) groups.set(group, marks);
  }
  return groups;
}

/** Fails unless `groups` are at `mark`, all whole, and no others are reported. */
export function assertAt(applied: readonly AppliedGroups[], groups: KeyGroups, mark: StoreMark): void {
  assert.deepEqual(
    [...byGroup(applied)],
    [...groups].map((group) => [group, { mark }]),
  );
}

/** Fails unless `action` rejects with `code`. */
export async function assertRefused(action: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(action, (error) => {
    assert(hasCode(error, code), `Expected ${code}, got ${String(error)}.`);
    return true;
  });
}
