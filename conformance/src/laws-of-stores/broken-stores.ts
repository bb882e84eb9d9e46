/** Stores that break the contract, each in one way. Every one is caught by a law of its clause, or the law is worth nothing. */

import {
  type AppliedGroups,
  type BinaryKey,
  type Change,
  KeyGroups,
  type Store,
  StateBackendError,
} from "@tidemark/core";
import { type BrokenStore, changed } from "./broken-store.js";
import { REACHING_STORES } from "./reaching-stores.js";

async function collected<T>(chunks: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

async function* first<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    yield chunk;
    return;
  }
}

function withoutApplying(applied: readonly AppliedGroups[]): readonly AppliedGroups[] {
  return applied.map(({ groups, mark }) => ({ groups, mark }));
}

const openings: readonly BrokenStore[] = [
  {
    what: "joins job and operator without a separator",
    clause: "S1",
    change: (inner) => ({
      open: (scope, fence) => inner.open({ ...scope, job: `${scope.job}/${scope.operator}`, operator: "" }, fence),
    }),
  },
  {
    what: "forgets names beyond 255 characters",
    clause: "S1",
    change: (inner) => ({ open: (scope, fence) => inner.open({ ...scope, job: scope.job.slice(0, 255) }, fence) }),
  },
  {
    what: "keeps names without regard to case",
    clause: "S1",
    change: (inner) => ({ open: (scope, fence) => inner.open({ ...scope, job: scope.job.toLowerCase() }, fence) }),
  },
  {
    what: "ignores maxParallelism",
    clause: "S1",
    change: (inner) => ({ open: (scope, fence) => inner.open({ ...scope, maxParallelism: 8 }, fence) }),
  },
  {
    what: "reports the groups of the scope, held or not",
    clause: "S1",
    change: (inner) => ({
      async open(scope, fence) {
        const [known] = await inner.open(scope, fence);
        return known === undefined ? [] : scope.groups.ranges.map((groups) => ({ ...known, groups }));
      },
    }),
  },
  {
    what: "tells the caller of a failed apply, and forgets a promise that failed with it",
    clause: "S2",
    isSilent: true,
    change: (inner) => ({
      apply(mark, changes) {
        const applied = inner.apply(mark, changes);
        void applied.then(() => undefined);
        return applied;
      },
    }),
  },
  {
    what: "compares fences by a number that all have in common",
    clause: "S2",
    change: (inner) => ({ open: (scope, fence) => inner.open(scope, { ...fence, epoch: 1, nonce: "0" }) }),
  },
];

const readings: readonly BrokenStore[] = [
  {
    what: "gives values of present keys only",
    clause: "S3",
    change: (inner) => ({
      getMany: async (keys) => (await inner.getMany(keys)).filter((value) => value !== undefined),
    }),
  },
  {
    what: "takes an empty value for none",
    clause: "S3",
    change: (inner) => ({
      getMany: async (keys) => (await inner.getMany(keys)).map((value) => (value?.length === 0 ? undefined : value)),
    }),
  },
  {
    what: "gives values in the order of sorted keys",
    clause: "S3",
    change: (inner) => ({ getMany: (keys) => inner.getMany(keys.toSorted()) }),
  },
  {
    what: "gives another value without a promise",
    clause: "S3",
    change: () => ({ getManySync: (keys) => keys.map(() => undefined) }),
  },
  {
    what: "hands out its own buffers",
    clause: "S3",
    change: (inner) => {
      const cache = new Map<BinaryKey, Uint8Array | undefined>();
      return {
        async getMany(keys) {
          const values = await inner.getMany(keys);
          for (const [index, key] of keys.entries()) if (!cache.has(key)) cache.set(key, values[index]);
          return keys.map((key) => cache.get(key));
        },
      };
    },
  },
  {
    what: "scans one chunk",
    clause: "S4",
    change: (inner) => ({ scan: (range) => first(inner.scan(range)) }),
  },
  {
    what: "scans the end too",
    clause: "S4",
    change: (inner) => ({ scan: ({ start, end }) => inner.scan({ start, end: `${end}\0` as BinaryKey }) }),
  },
  {
    what: "orders bytes as signed numbers",
    clause: "S4",
    change: (inner) => ({
      async *scan(range) {
        for await (const chunk of inner.scan(range)) {
          yield chunk.toSorted((a, b) => (signed(a.key) < signed(b.key) ? -1 : 1));
        }
      },
    }),
  },
  {
    what: "scans what it held when it was opened first",
    clause: "S4",
    change: (inner) => {
      let snapshot: Parameters<Store["load"]>[1] | undefined;
      return {
        async *scan(range) {
          snapshot ??= inner.scan(range);
          yield* first(snapshot);
        },
      };
    },
  },
];

const changings: readonly BrokenStore[] = [
  {
    what: "ignores clears",
    clause: "S5",
    change: (inner) => ({
      apply: (mark, delta) =>
        inner.apply(
          mark,
          changed(delta, (chunk) => chunk.filter(({ kind }) => kind !== "clear")),
        ),
    }),
  },
  {
    what: "clears after the puts of the chunk",
    clause: "S5",
    change: (inner) => ({
      apply: (mark, delta) =>
        inner.apply(
          mark,
          changed(delta, (chunk) => chunk.toSorted((a, b) => Number(a.kind === "clear") - Number(b.kind === "clear"))),
        ),
    }),
  },
  {
    what: "applies the first thousand changes",
    clause: "S5",
    change: (inner) => ({
      apply: async (mark, delta) => {
        const changes = (await collected(delta)).slice(0, 1_000);
        await inner.apply(
          mark,
          changed(once(changes), (chunk) => chunk),
        );
      },
    }),
  },
  {
    what: "keeps back the last apply until the next one",
    clause: "S5",
    change: (inner) => {
      let last: (() => Promise<void>) | undefined;
      return {
        async apply(mark, delta) {
          await last?.();
          const changes = await collected(delta);
          last = () => inner.apply(mark, once(changes));
        },
      };
    },
  },
  {
    what: "reports what was applied in part as whole",
    clause: "S6",
    change: (inner) => ({
      open: async (scope, fence) =>
        (await inner.open(scope, fence)).map(({ groups, mark, applying }) => ({ groups, mark: applying ?? mark })),
    }),
  },
  {
    what: "does not say that it was applying",
    clause: "S6",
    change: (inner) => ({ open: async (scope, fence) => withoutApplying(await inner.open(scope, fence)) }),
  },
  {
    what: "knows a mark by its id alone",
    clause: "S6",
    change: (inner) => {
      let last: number | undefined;
      return {
        async apply(mark, delta) {
          if (mark.checkpoint !== last) await inner.apply(mark, delta);
          last = mark.checkpoint;
        },
      };
    },
  },
  {
    what: "takes the error of a delta for its end",
    clause: "S6",
    change: (inner) => ({
      apply: (mark, delta) =>
        inner.apply(mark, {
          async *[Symbol.asyncIterator]() {
            try {
              for await (const chunk of delta) yield chunk;
            } catch {
              // As if nothing were missing.
            }
          },
        }),
    }),
  },
];

const loadings: readonly BrokenStore[] = [
  {
    what: "loads on top of what is there",
    clause: "S7",
    change: (inner) => ({
      async load(_groups, rows, mark) {
        const puts: Change[] = [];
        for await (const chunk of rows) {
          puts.push(...chunk.map(({ key, value }) => ({ kind: "put", key, value }) as const));
        }
        await inner.apply(mark, once(puts));
      },
    }),
  },
  {
    what: "marks a load before its rows are there",
    clause: "S7",
    change: (inner) => ({
      async load(groups, rows, mark) {
        await inner.load(groups, once([]), mark);
        const puts: Change[] = [];
        for await (const chunk of rows) {
          puts.push(...chunk.map(({ key, value }) => ({ kind: "put", key, value }) as const));
        }
        await inner.apply(mark, once(puts));
        await inner.load(groups, once(puts.map((put) => put as { key: BinaryKey; value: Uint8Array })), mark);
      },
    }),
  },
  {
    what: "forgets groups that were loaded without rows",
    clause: "S7",
    change: (inner) => ({
      async load(groups, rows, mark) {
        const found = await collected(rows);
        if (found.length > 0) await inner.load(groups, once(found), mark);
      },
    }),
  },
  {
    what: "drops the groups up to the last one",
    clause: "S8",
    change: (inner) => ({
      drop: (groups) => inner.drop(KeyGroups.of([{ first: 0, last: groups.ranges.at(-1)?.last ?? 0 }])),
    }),
  },
  {
    what: "drops nothing",
    clause: "S8",
    change: () => ({ drop: async () => undefined }),
  },
];

const closings: readonly BrokenStore[] = [
  { what: "stays open", clause: "S9", change: () => ({ close: async () => undefined }) },
  {
    what: "can be closed once",
    clause: "S9",
    change: (inner) => {
      let closes = 0;
      return {
        async close() {
          closes += 1;
          if (closes > 1) throw new StateBackendError("CLOSED", "The store is closed.");
          await inner.close();
        },
      };
    },
  },
  {
    what: "ends a scan early when it is closed",
    clause: "S9",
    change: (inner) => ({
      async *scan(range) {
        try {
          yield* inner.scan(range);
        } catch {
          // As if it were all.
        }
      },
    }),
  },
];

export const BROKEN_STORES: readonly BrokenStore[] = [
  ...openings,
  ...readings,
  ...changings,
  ...loadings,
  ...closings,
  ...REACHING_STORES,
];

function once<T>(items: readonly T[]): AsyncIterable<readonly T[]> {
  return {
    async *[Symbol.asyncIterator]() {
      yield items;
    },
  };
}

function signed(key: string): string {
  return Array.from(key, (character) => String.fromCharCode((character.charCodeAt(0) + 128) % 256)).join("");
}
