/**
 * A storage in memory with transactions, and its harness: the reference of what is committed with a checkpoint.
 *
 * Invariants:
 * - One transaction runs at a time. It holds the name that its guard says is next: who creates it waits.
 * - Results are there from the moment on in which the object is.
 */

import { type CheckpointStorage, memoryStorage, StateBackendError, type TransactionalPut } from "@tidemark/core";
import type { BackendHarness } from "../runner/adapter-harness.js";
import { handleOn } from "./handle-on.js";
import { memoryBackend } from "./memory-harness.js";

/** What results are written with. */
export interface ResultWriter {
  write(result: string): void;
}

export type TransactionalStorage = CheckpointStorage<ResultWriter>;

/** What outlives the handles: objects, and results beside them. */
export class TransactionalMemory {
  readonly objects: CheckpointStorage = memoryStorage();
  readonly results: string[] = [];
  /** Names that a transaction holds, and when it ends. */
  readonly #held = new Map<string, Promise<unknown>>();
  readonly #puts = new Set<{ readonly name: string; readonly running: Promise<unknown> }>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when no other transaction runs, and holds `name` meanwhile. */
  alone<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => (name === undefined ? work() : this.#holding(name, work)));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #holding<T>(name: string, work: () => Promise<T>): Promise<T> {
    let release = (): void => {};
    this.#held.set(name, new Promise<void>((resolve) => (release = resolve)));
    try {
      // Who was there before is seen.
      await Promise.allSettled([...this.#puts].filter((put) => put.name === name).map(({ running }) => running));
      return await work();
    } finally {
      this.#held.delete(name);
      release();
    }
  }

  /** Runs a put of the name when no transaction holds it. */
  async putting<T>(name: string, put: () => Promise<T>): Promise<T> {
    while (this.#held.has(name)) await this.#held.get(name);
    const running = put();
    const entry = { name, running };
    this.#puts.add(entry);
    return running.finally(() => this.#puts.delete(entry));
  }

  /** Names in the folder of `name`, ascending. */
  async beside(name: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const object of this.objects.list(name.slice(0, name.lastIndexOf("/") + 1))) names.push(object.name);
    return names.sort();
  }
}

/** Handles whose process has died. */
const dead = new WeakMap<object, () => void>();

/** A handle of its own on the place. */
export function transactionalHandle(place: TransactionalMemory): TransactionalStorage {
  const plain = handleOn(place.objects);
  let isDead = false;
  let die = (): void => {};
  const death = new Promise<never>((_, reject) => {
    die = () => {
      isDead = true;
      reject(gone());
    };
  });
  death.catch(() => {});
  const whileAlive = <T>(run: () => T): T => {
    if (isDead) throw gone();
    return run();
  };
  const handle: TransactionalStorage = {
    put: (name, body, options) => place.putting(name, async () => whileAlive(() => plain.put(name, body, options))),
    async *get(name, range) {
      yield* whileAlive(() => plain.get(name, range));
    },
    async *list(prefix) {
      yield* whileAlive(() => plain.list(prefix));
    },
    remove: async (names) => whileAlive(() => plain.remove(names)),
    close: () => plain.close(),
    putWith: (name, body, put) => place.alone(put.guard?.next, () => commit(name, body, put)),
  };
  const commit = async (name: string, body: Uint8Array, { work, guard }: TransactionalPut<ResultWriter>) => {
    if (guard !== undefined && (await place.beside(guard.last)).at(-1) !== guard.last) return "refused";
    if ((await place.beside(name)).includes(name)) return "exists";
    const written: string[] = [];
    await Promise.race([whileAlive(() => work({ write: (result) => void written.push(result) })), death]);
    const outcome = await whileAlive(() => plain.put(name, body, { ifAbsent: true }));
    if (outcome === "created") place.results.push(...written);
    return outcome;
  };
  dead.set(handle, die);
  return handle;
}

function gone(): Error {
  return new StateBackendError("UNAVAILABLE", "The process of this handle is dead.", { outcome: "not-applied" });
}

/** Checkpoints in memory, with results that are committed with them. */
export const TRANSACTIONAL_HARNESS: BackendHarness<TransactionalMemory> = {
  name: "memory with transactions",
  contract: "backend",
  capabilities: { transactions: true },
  inapplicable: { faults: "nothing below memory can fail" },
  create: () => new TransactionalMemory(),
  reopen: (place) => transactionalHandle(place),
  backend: memoryBackend,
  crash: (_, handle) => dead.get(handle)?.(),
  writeResult: (_, client, result) => (client as ResultWriter).write(result),
  readResults: ({ results }) => [...results],
};
