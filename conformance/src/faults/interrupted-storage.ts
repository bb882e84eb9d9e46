/**
 * A storage whose process dies at a chosen moment, or which loses the answers of some calls of `putWith`.
 *
 * Invariants:
 * - Moments are counted: before and after each call, in the work of a `putWith` before and behind what the caller does, and a turn later.
 * - After its death no call has an effect or answers. Work that is under way then fails, as a connection that is gone ends a transaction.
 */

import {
  type ByteRange,
  type CheckpointStorage,
  type PutOptions,
  type PutOutcome,
  StateBackendError,
  systemClock,
} from "@tidemark/core";

type PutWith = NonNullable<CheckpointStorage["putWith"]>;

/** A call of `putWith` that gets no answer. */
export type Loss = "before the call" | "behind the call";

export interface Interruptions {
  /** The moment of the death; `undefined` for never. */
  readonly diesAt?: number | undefined;
  /** What becomes of the first calls of `putWith`. */
  readonly losses: readonly (Loss | undefined)[];
  /** The process dies for the adapter too. */
  readonly onDeath: () => Promise<void>;
}

export class InterruptedStorage implements CheckpointStorage {
  readonly putWith: PutWith;
  readonly died: Promise<void>;
  isDead = false;
  moments = 0;
  readonly #inner: CheckpointStorage;
  readonly #interruptions: Interruptions;
  readonly #losses: (Loss | undefined)[];
  #die: () => void = () => {};

  constructor(inner: CheckpointStorage, putWith: PutWith, interruptions: Interruptions) {
    this.#inner = inner;
    this.#interruptions = interruptions;
    this.#losses = [...interruptions.losses];
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.putWith = (...given) => this.#putWith(putWith, given);
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    return this.#between(() => this.#inner.put(name, body, options));
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#moment();
    yield* this.#inner.get(name, range);
    await this.#moment();
  }

  async *list(prefix: string): ReturnType<CheckpointStorage["list"]> & AsyncGenerator {
    await this.#moment();
    yield* this.#inner.list(prefix);
    await this.#moment();
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#between(() => this.#inner.remove(names));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #putWith(putWith: PutWith, [name, body, put]: Parameters<PutWith>): ReturnType<PutWith> {
    const loss = this.#losses.shift();
    if (loss === "before the call") throw lost();
    const outcome = await this.#between(() =>
      putWith(name, body, {
        ...put,
        work: async (client) => {
          this.#expectAlive(await this.#dies());
          await put.work(client);
          this.#expectAlive(await this.#dies());
          // The storage commits from here on, and its process may die in the middle of that.
          systemClock.yield().then(
            () => this.#dies(),
            () => undefined,
          );
        },
      }),
    );
    if (loss === "behind the call") throw lost();
    return outcome;
  }

  async #between<T>(call: () => Promise<T>): Promise<T> {
    await this.#moment();
    try {
      return await call();
    } finally {
      await this.#moment();
    }
  }

  /** The dead do not go on. */
  async #moment(): Promise<void> {
    if (await this.#dies()) await new Promise<never>(() => {});
  }

  async #dies(): Promise<boolean> {
    if (!this.isDead && this.moments++ === this.#interruptions.diesAt) {
      this.isDead = true;
      await this.#interruptions.onDeath();
      this.#die();
    }
    return this.isDead;
  }

  #expectAlive(isDead: boolean): void {
    if (isDead) throw new Error("The process died in its transaction.");
  }
}

function lost(): Error {
  return new StateBackendError("UNAVAILABLE", "Injected: the answer was lost.", { outcome: "unknown" });
}
