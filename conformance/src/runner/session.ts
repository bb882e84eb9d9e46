/**
 * The harness of an author, as one run of a law uses it: every hook has a deadline and a clear error, and what was made is closed and
 * destroyed at the end.
 */

import type { Backend, CheckpointStorage } from "@tidemark/core";
import type { Harness, Place } from "../harness.js";
import type { BackendHarness, Hook, StorageHarness } from "./adapter-harness.js";
import { callHook } from "./call-hook.js";
import type { CallTrace } from "./call-trace.js";
import { GuardStorage, requireStorage } from "./guard-storage.js";
import type { TestPlace } from "./law.js";
import { lazyStorage } from "./lazy-storage.js";

export interface SessionOptions {
  readonly deadlineMs: number;
  readonly trace: CallTrace;
}

interface Made {
  readonly place: Promise<unknown>;
  readonly handles: GuardStorage[];
}

export class Session {
  readonly #harness: StorageHarness | BackendHarness;
  readonly #options: SessionOptions;
  readonly #made: Made[] = [];

  constructor(harness: StorageHarness | BackendHarness, options: SessionOptions) {
    this.#harness = harness;
    this.#options = options;
  }

  /** A new, empty place, made when this resolves. */
  async place(): Promise<TestPlace> {
    const made = await this.#create();
    await made.place;
    const inner = (handle: CheckpointStorage): CheckpointStorage =>
      handle instanceof GuardStorage ? handle.inner : handle;
    const hook = async <T>(name: Hook, run: (place: unknown) => T | Promise<T> | undefined): Promise<T> =>
      this.#call(name, async () => (await run(await made.place)) as T);
    const harness = this.#harness;
    return {
      open: () => this.#reopen(made),
      crash: (handle) => {
        if (handle instanceof GuardStorage) handle.isDead = true;
        return hook("crash", (place) => harness.crash?.(place, inner(handle)));
      },
      readBack: (name) => hook("readBack", (place) => harness.readBack?.(place, name)),
      corrupt: (name, bytes) => hook("corrupt", (place) => harness.corrupt?.(place, name, bytes)),
      faults: (nth) => hook("faults", (place) => harness.faults?.(place, nth)),
      advance: (ms) => hook("advance", (place) => harness.advance?.(place, ms)),
      writeResult: (client, result) => hook("writeResult", (place) => harness.writeResult?.(place, client, result)),
      readResults: () => hook("readResults", (place) => harness.readResults?.(place)),
    };
  }

  /** The adapter as the properties of whole jobs need it. */
  get jobs(): Harness {
    const harness = this.#harness;
    return {
      name: harness.name,
      backend: () => (harness.contract === "backend" ? harness.backend() : plainBackend(harness.name)),
      place: () => this.#lazyPlace(),
    };
  }

  /** Closes every handle and destroys every place. */
  async dispose(): Promise<void> {
    for (const made of this.#made.splice(0)) await this.#destroy(made);
  }

  #lazyPlace(): Place {
    const creating = this.#create();
    creating.catch(() => {});
    return { open: () => lazyStorage(creating.then((made) => this.#reopen(made))) };
  }

  async #create(): Promise<Made> {
    const place = this.#call("create", () => this.#harness.create());
    // Whoever opens the place is told.
    place.catch(() => {});
    const made: Made = { place, handles: [] };
    this.#made.push(made);
    return made;
  }

  async #reopen(made: Made): Promise<CheckpointStorage> {
    const place = await made.place;
    const handle: unknown = await this.#call("reopen", () => this.#harness.reopen(place));
    requireStorage(handle);
    const guarded = new GuardStorage(handle, this.#options);
    made.handles.push(guarded);
    return guarded;
  }

  async #destroy({ place, handles }: Made): Promise<void> {
    // A handle may have been closed or crashed by the law; what closing says is judged by the laws about it.
    for (const handle of handles) handle.abandon();
    await Promise.allSettled(handles.filter(({ isDead }) => !isDead).map((handle) => handle.close()));
    const result = await Promise.allSettled([place]);
    if (result[0].status === "rejected") return;
    const { value } = result[0];
    await this.#call("destroy", () => this.#harness.destroy?.(value));
  }

  #call<T>(hook: string, run: () => T | Promise<T>): Promise<T> {
    return callHook(hook, this.#options.deadlineMs, run);
  }
}

/** A backend without a store keeps its working state in memory, whatever the storage. */
function plainBackend(name: string): Backend<true> {
  const unused = Promise.reject<CheckpointStorage>(new Error("The kit brings the place for checkpoints."));
  return { name, sync: true, checkpoints: lazyStorage(unused) };
}
