/**
 * The harness of a `Store`, as one run of a law uses it: every call has a deadline, and what was made is closed and destroyed at the
 * end.
 */

import type { Store } from "@tidemark/core";
import type { OpenStoreHarness, StoreHarness } from "../laws-of-stores/store-harness.js";
import type { StoreAdapterHarness } from "./adapter-harness.js";
import { Blame } from "./blame.js";
import { callHook } from "./call-hook.js";
import type { CallTrace } from "./call-trace.js";
import { inTime } from "./deadline.js";

const METHODS = ["open", "getMany", "scan", "apply", "load", "drop", "close"] as const;

export interface StoreSessionOptions {
  readonly deadlineMs: number;
  readonly trace: CallTrace;
}

/** Places for the laws of stores. What a law does not dispose of goes when its process does. */
export function storePlaces(harness: StoreAdapterHarness, options: StoreSessionOptions): OpenStoreHarness {
  const { deadlineMs } = options;
  const hook = <T>(name: string, run: () => T | Promise<T>): Promise<T> => callHook(name, deadlineMs, run);
  return async (): Promise<StoreHarness> => {
    const place = await hook("create", () => harness.create());
    const inner = new Map<Store, Store>();
    return {
      takeover: harness.takeover ?? "fences",
      create() {
        const store: unknown = harness.reopen(place);
        requireStore(store);
        const guarded = guardStore(store, options);
        inner.set(guarded, store);
        return guarded;
      },
      crash: async (store) => {
        await hook("crash", () => harness.crash(place, inner.get(store) ?? store));
      },
      async dispose() {
        await Promise.allSettled([...inner.keys()].map((store) => store.close()));
        await hook("destroy", () => harness.destroy?.(place));
      },
    };
  };
}

function requireStore(store: unknown): asserts store is Store {
  const missing = METHODS.filter((name) => typeof (store as Record<string, unknown> | null)?.[name] !== "function");
  if (missing.length === 0) return;
  const found = store === null || typeof store !== "object" ? String(store) : `without ${missing.join(", ")}`;
  throw new Blame("harness", `reopen gave no Store. found=${found} expected=an object with ${METHODS.join(", ")}.`);
}

/** The store with a bound for each call. */
function guardStore(store: Store, { deadlineMs, trace }: StoreSessionOptions): Store {
  const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
    try {
      return await inTime(work, { ms: deadlineMs, culprit: "adapter", what });
    } catch (error) {
      if (error instanceof Blame) trace.blame ??= error;
      throw error;
    }
  };
  const getManySync: Store["getManySync"] = store.getManySync?.bind(store);
  const prepare: Store["prepare"] = store.prepare?.bind(store);
  return {
    ...(prepare === undefined ? {} : { prepare: (scope) => timed("prepare", prepare(scope)) }),
    open: (scope, fence) => timed("open", store.open(scope, fence)),
    getMany: (keys) => timed("getMany", store.getMany(keys)),
    ...(getManySync === undefined ? {} : { getManySync }),
    async *scan(range) {
      const iterator = store.scan(range)[Symbol.asyncIterator]();
      let isDone = false;
      try {
        for (;;) {
          const next = await timed("scan", iterator.next());
          isDone = next.done === true;
          if (next.done === true) return;
          yield next.value;
        }
      } catch (error) {
        isDone = true;
        throw error;
      } finally {
        if (!isDone) await iterator.return?.();
      }
    },
    apply: (mark, changes) => timed("apply", store.apply(mark, changes)),
    load: (groups, rows, mark) => timed("load", store.load(groups, rows, mark)),
    drop: (groups) => timed("drop", store.drop(groups)),
    close: () => timed("close", store.close()),
  };
}
