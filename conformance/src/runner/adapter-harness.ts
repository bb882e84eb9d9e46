/**
 * What the author of an adapter writes so that the kit can test it. It imports core and the adapter, never the kit: so there is one
 * copy of core, the adapter's.
 *
 * A harness without types is a plain object of a module: `export const harness = { ... }`.
 */

import type { Backend, CheckpointStorage, Store } from "@tidemark/core";

/** Which contract of docs/contract.md an adapter implements. */
export type Contract = "storage" | "store" | "backend";

/** What an adapter says of itself. The kit checks both ways: what is declared holds, and what is not is not relied on. */
export interface Capabilities {
  /**
   * Whether several handles, of several processes, may be open on one place at once. Core needs that to fence an old owner.
   * A storage that is not shared refuses a second handle, or the second call of it.
   * @defaultValue true
   */
  readonly shared?: boolean;
  /**
   * Whether what was acknowledged outlives the death of the process. Needs the hook `crash` to be checked.
   * @defaultValue false
   */
  readonly durable?: boolean;
  /**
   * The most bytes of one object, if there is a limit below 16 MiB.
   * @defaultValue no limit
   */
  readonly objectBytesMax?: number;
  /**
   * Whether results are committed with an object: the storage has `putWith`. Needs the hooks `writeResult` and `readResults` to be checked.
   * @defaultValue false
   */
  readonly transactions?: boolean;
}

/** What all harnesses have. `Place` is whatever the author likes: a path, a connection string, a map. */
interface CommonHarness<Place> {
  /** For people. The kit decides nothing by it. */
  readonly name: string;
  readonly capabilities?: Capabilities;
  /** Hooks that the adapter cannot have, each with the reason. The report tells it; nothing of it is green. */
  readonly inapplicable?: Partial<Record<Hook, string>>;
  /** A new, empty place that outlives its handles. */
  create(): Place | Promise<Place>;
  /** Removes a place with all that is in it. */
  destroy?(place: Place): void | Promise<void>;
  /** Lets time pass for the place, milliseconds: for adapters that look at a clock. */
  advance?(place: Place, ms: number): void | Promise<void>;
}

/** Hooks for a storage of checkpoints. */
interface StorageHooks<Place> extends CommonHarness<Place> {
  /** A new handle on the place, as a process that starts now would open it. */
  reopen(place: Place): CheckpointStorage | Promise<CheckpointStorage>;
  /** The process of this handle dies: nothing is closed in good order, and no later call of the handle has an effect. */
  crash?(place: Place, handle: CheckpointStorage): void | Promise<void>;
  /** The bytes of an object, read around the adapter; `undefined` if there is none. */
  readBack?(place: Place, name: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Replaces the bytes of an object behind the adapter's back; `undefined` removes it. */
  corrupt?(place: Place, name: string, bytes: Uint8Array | undefined): void | Promise<void>;
  /**
   * Makes the `nth` next operation of what lies below the place fail once, from 0. Returns a function that ends this and says
   * whether it has struck.
   */
  faults?(place: Place, nth: number): (() => boolean) | Promise<() => boolean>;
  /** Writes a result, a short text, with what `putWith` has handed to its work: in the transaction, beside the objects. */
  writeResult?(place: Place, client: unknown, result: string): void | Promise<void>;
  /** The results that are there, in any order: each as often as it is there. */
  readResults?(place: Place): readonly string[] | Promise<readonly string[]>;
}

/** Harness of a `CheckpointStorage`. */
export interface StorageHarness<Place = unknown> extends StorageHooks<Place> {
  readonly contract: "storage";
}

/** Harness of a whole backend: its checkpoints, and working state that starts empty. */
export interface BackendHarness<Place = unknown> extends StorageHooks<Place> {
  readonly contract: "backend";
  /** A backend with empty working state. The kit brings the place for checkpoints, from `reopen`. */
  backend(): Backend;
}

/** Harness of a `Store`. */
export interface StoreAdapterHarness<Place = unknown> extends CommonHarness<Place> {
  readonly contract: "store";
  /**
   * What opening a scope that is open does: `fences` the other handle, or is `refused` with UNAVAILABLE.
   * @defaultValue "fences"
   */
  readonly takeover?: "fences" | "refused";
  /** A new handle on the place, not open yet; what was applied before is there. */
  reopen(place: Place): Store;
  /** The process of this handle dies: what was not durable is gone, what it locked is free. */
  crash(place: Place, handle: Store): void | Promise<void>;
}

/** What is tested, whatever it is. */
export type AdapterHarness<Place = unknown> =
  | StorageHarness<Place>
  | BackendHarness<Place>
  | StoreAdapterHarness<Place>;

/** A hook that a law may need. */
export type Hook = "advance" | "backend" | "corrupt" | "crash" | "faults" | "readBack" | "readResults" | "writeResult";
