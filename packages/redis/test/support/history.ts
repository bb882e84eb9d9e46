/** A history of checkpoints whose state at each mark is known. */

import {
  type BinaryKey,
  type Change,
  type Delta,
  KeyGroups,
  type Store,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";

const GROUP_COUNT = 8;
export const GROUPS = KeyGroups.of([{ first: 0, last: GROUP_COUNT - 1 }]);
export const SCOPE: TaskScope = Object.freeze({ job: "job", operator: "operator", maxParallelism: 8, groups: GROUPS });

const KEYS = 400;

export function keyOf(index: number): BinaryKey {
  return `\0${String.fromCharCode(index % GROUP_COUNT)}key ${String(index).padStart(6, "0")}` as BinaryKey;
}

export function markOf(id: number): StoreMark {
  return { checkpoint: id, tag: "history" };
}

export function fenceOf(epoch: number): { readonly epoch: number; readonly nonce: string } {
  return { epoch, nonce: epoch.toString(16).padStart(32, "0") };
}

/** The changes of checkpoint `id`: some keys come, some change, some go. */
function changesOf(id: number): readonly Change[] {
  const changes = Array.from({ length: KEYS }, (_, index) => index)
    .filter((index) => (index * 7 + id) % 3 !== 0)
    .map((index): readonly [BinaryKey, Change] => {
      const key = keyOf(index);
      if ((index + id) % 5 === 0) return [key, { kind: "delete", key }];
      return [key, { kind: "put", key, value: Buffer.from(`${index} at ${id} `.repeat(1 + (index % 9))) }];
    });
  return changes.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

export function deltaOf(id: number): Delta {
  const changes = changesOf(id);
  return {
    async *[Symbol.asyncIterator]() {
      yield changes;
    },
  };
}

/** What is there after checkpoint `id`. */
export function stateAt(id: number): ReadonlyMap<BinaryKey, string> {
  const state = new Map<BinaryKey, string>();
  for (let each = 1; each <= id; each++) {
    for (const change of changesOf(each)) {
      if (change.kind === "put") state.set(change.key, Buffer.from(change.value).toString());
      else if (change.kind === "delete") state.delete(change.key);
    }
  }
  return new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Everything in `store`, which is read both ways. */
export async function contentOf(store: Store): Promise<ReadonlyMap<BinaryKey, string>> {
  const scanned = new Map<BinaryKey, string>();
  for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\0\x08" as BinaryKey })) {
    for (const { key, value } of chunk) scanned.set(key, Buffer.from(value).toString());
  }
  const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));
  const values = await store.getMany(keys);
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    if ((value === undefined ? undefined : Buffer.from(value).toString()) !== scanned.get(key)) {
      throw new Error(`A key is read in two ways. index=${index}`);
    }
  }
  return scanned;
}
