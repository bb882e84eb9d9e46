/** Stores of the tests of faults: one scope, and what is applied to it. */

import { newFence } from "@tidemark/conformance";
import {
  type AppliedGroups,
  type BinaryKey,
  type Change,
  type Delta,
  KeyGroups,
  type Store,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";
import { postgres, type PostgresOptions } from "../../src/index.js";

export const GROUPS = KeyGroups.of([{ first: 0, last: 3 }]);
export const SCOPE: TaskScope = { job: "job", operator: "operator", maxParallelism: 8, groups: GROUPS };

export function keyOf(group: number, rest: string): BinaryKey {
  return (String.fromCharCode(0, group) + rest) as BinaryKey;
}

export function markOf(checkpoint: number): StoreMark {
  return { checkpoint, tag: `tag ${checkpoint}` };
}

/** Writes `text` under `count` keys. */
export function puts(text: string, count = 3): Delta {
  const changes: Change[] = Array.from({ length: count }, (_, index) => ({
    kind: "put",
    key: keyOf(1, String(index).padStart(6, "0")),
    value: Buffer.from(text),
  }));
  return {
    async *[Symbol.asyncIterator]() {
      for (let first = 0; first < count; first += 500) yield changes.slice(first, first + 500);
    },
  };
}

/** The value of the first key. */
export async function firstValue(store: Store): Promise<string | undefined> {
  const [value] = await store.getMany([keyOf(1, "000000")]);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

export async function valuesOf(store: Store): Promise<ReadonlySet<string>> {
  const values = new Set<string>();
  for await (const chunk of store.scan({ start: keyOf(0, ""), end: keyOf(8, "") })) {
    for (const { value } of chunk) values.add(Buffer.from(value).toString());
  }
  return values;
}

export interface OpenedStore {
  readonly store: Store;
  readonly applied: readonly AppliedGroups[];
}

export async function openStore(options: PostgresOptions, scope = SCOPE): Promise<OpenedStore> {
  const store = postgres(options).store.create();
  return { store, applied: await store.open(scope, newFence()) };
}

/** As core does: again while the error says that this may help. */
export async function applied(store: Store, checkpoint: number, delta: Delta): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      await store.apply(markOf(checkpoint), delta);
      return tries;
    } catch (error) {
      if (tries === 8 || !(error as { readonly retryable?: boolean }).retryable) throw error;
    }
  }
}
