/** Stores that believe in an owner for too long: one owner at a time sees nothing of it, and several are told what no order explains. */

import {
  type AppliedGroups,
  type Change,
  memoryStore,
  type Store,
  StateBackendError,
  type StoreProvider,
  systemClock,
} from "@tidemark/core";
import type { StoreHarness } from "./store-harness.js";

/** What all handles on a place have in common: the store that the last owner has opened, and whose that is. */
interface Shared {
  readonly provider: StoreProvider;
  inner: Store;
  owner: number;
}

/** A handle that checks its right itself, and lets any owner through that it believes in. */
interface Handle {
  readonly id: number;
  readonly shared: Shared;
  /** @throws {StateBackendError} FENCED unless this handle owns the place */
  readonly check: () => void;
}

export interface BrokenOwner {
  readonly what: string;
  /** What a handle does differently. */
  readonly change: (handle: Handle) => Partial<Store>;
}

/** A new place whose handles are broken; without `change` they are sound. */
export function brokenOwnerHarness(change: BrokenOwner["change"] = () => ({})): StoreHarness {
  const provider = memoryStore();
  const shared: Shared = { provider, inner: provider.create(), owner: 0 };
  let handles = 0;
  return {
    takeover: "fences",
    create() {
      const handle: Handle = { id: ++handles, shared, check: () => requireOwner(handle.id, shared.owner) };
      return { ...storeOf(handle), ...change(handle) };
    },
    crash: async () => undefined,
    dispose: async () => undefined,
  };
}

function storeOf(handle: Handle): Store {
  const { shared } = handle;
  return {
    async open(scope, fence) {
      const inner = shared.provider.create();
      const applied = await inner.open(scope, fence);
      Object.assign(shared, { inner, owner: handle.id });
      return applied;
    },
    async getMany(keys) {
      handle.check();
      return shared.inner.getMany(keys);
    },
    async *scan(range) {
      handle.check();
      yield* shared.inner.scan(range);
    },
    async apply(mark, changes) {
      handle.check();
      return shared.inner.apply(mark, changes);
    },
    async load(groups, rows, mark) {
      handle.check();
      return shared.inner.load(groups, rows, mark);
    },
    async drop(groups) {
      handle.check();
      return shared.inner.drop(groups);
    },
    close: async () => undefined,
  };
}

export const BROKEN_OWNERS: readonly BrokenOwner[] = [
  {
    what: "reads its fence from a cache",
    change: ({ id, shared }) => {
      let known = id;
      const fenceOf = (): number => {
        const last = known;
        known = shared.owner;
        return last;
      };
      return {
        async getMany(keys) {
          requireOwner(id, fenceOf());
          return shared.inner.getMany(keys);
        },
        async apply(mark, changes) {
          requireOwner(id, fenceOf());
          return shared.inner.apply(mark, changes);
        },
      };
    },
  },
  {
    what: "looks at its fence, and applies a moment later",
    change: ({ check, shared }) => ({
      async apply(mark, changes) {
        check();
        const all: (readonly Change[])[] = [];
        for await (const chunk of changes) all.push(chunk);
        await systemClock.yield();
        return shared.inner.apply(mark, {
          async *[Symbol.asyncIterator]() {
            yield* all;
          },
        });
      },
    }),
  },
  {
    what: "lets a fenced owner read",
    change: ({ shared }) => ({ getMany: (keys) => shared.inner.getMany(keys) }),
  },
  {
    what: "says that it has applied before it has",
    change: ({ check, shared }) => ({
      async apply(mark, changes) {
        check();
        void systemClock
          .yield()
          .then(() => shared.inner.apply(mark, changes))
          .catch(() => undefined);
      },
    }),
  },
  {
    what: "looks what it holds, and takes over a moment later",
    change: ({ id, shared }) => ({
      async open(scope, fence) {
        const held = await marksOf(shared, scope, fence);
        await systemClock.yield();
        const inner = shared.provider.create();
        await inner.open(scope, fence);
        Object.assign(shared, { inner, owner: id });
        return held;
      },
    }),
  },
];

/** What an opening would find, without taking anything over: the handle that owned the place gets it back. */
async function marksOf(
  shared: Shared,
  ...[scope, fence]: Parameters<Store["open"]>
): Promise<readonly AppliedGroups[]> {
  const inner = shared.provider.create();
  const applied = await inner.open(scope, fence);
  shared.inner = inner;
  return applied;
}

function requireOwner(id: number, owner: number): void {
  if (id === owner) return;
  throw new StateBackendError("FENCED", "Another task has taken the store over. Stop this one.");
}
