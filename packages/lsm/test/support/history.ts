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

export const GROUPS = KeyGroups.of([{ first: 0, last: 3 }]);
export const SCOPE: TaskScope = Object.freeze({ job: "job", operator: "operator", maxParallelism: 4, groups: GROUPS });
export const FENCE = Object.freeze({ epoch: 1, nonce: "0".repeat(32) });

const KEYS = 3_000;

export function keyOf(index: number): BinaryKey {
  return `\0${String.fromCharCode(index % 4)}key ${String(index).padStart(6, "0")}` as BinaryKey;
}

export function markOf(id: number): StoreMark {
  return { checkpoint: id, tag: "history" };
}

/** The changes of checkpoint `id`: some keys come, some change, some go. */
export function changesOf(id: number): readonly Change[] {
  const changes = Array.from({ length: KEYS }, (_, index) => index)
    .filter((index) => (index * 7 + id) % 3 !== 0)
    .map((index): Change => {
      if ((index + id) % 5 === 0) return { kind: "delete", key: keyOf(index) };
      return { kind: "put", key: keyOf(index), value: Buffer.from(`${index} at ${id} `.repeat(1 + (index % 9))) };
    });
  return changes.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

export function deltaOf(id: number): Delta {
  const changes = changesOf(id);
  return {
    async *[Symbol.asyncIterator]() {
      yield changes.slice(0, 700);
      yield changes.slice(700);
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
  return state;
}

/** Everything in `store`, which is read both ways. */
export async function contentOf(store: Store): Promise<ReadonlyMap<BinaryKey, string>> {
  const scanned = new Map<BinaryKey, string>();
  for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\0\x04" as BinaryKey })) {
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

function placeOf(change: Change): BinaryKey {
  return change.kind === "clear" ? change.prefix : change.key;
}
