/** What the laws of `Store` need of whoever tests one. */

import type { Fence, Store } from "@tidemark/core";

/** One place, empty at first, and the handles on it. */
export interface StoreHarness {
  /** Another handle on the place, not open yet. */
  create(): Store;
  /** Whether opening a scope that is open `fences` the other handle, or is `refused` with UNAVAILABLE. */
  readonly takeover: "fences" | "refused";
  /** Ends `store` as the death of its process would: what was not durable is gone, what it locked is free. */
  crash(store: Store): Promise<void>;
  /** Closes what is open, and removes the place. */
  dispose(): Promise<void>;
}

/** Makes places; each law has one of its own. */
export type OpenStoreHarness = () => Promise<StoreHarness>;

/** One clause of the contract that can be tested. */
export interface StoreLaw {
  /** Clause of docs/contract.md. */
  readonly id: string;
  readonly title: string;
  /** Rejects if the store breaks the law. */
  readonly check: (harness: StoreHarness) => Promise<void>;
}

/** A fence unlike any other of this run. */
export function newFence(): Fence {
  fences += 1;
  return { epoch: fences, nonce: fences.toString(16).padStart(32, "0") };
}

let fences = 0;
