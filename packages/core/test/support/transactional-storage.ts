/** A storage in memory with transactions: rows that are written together with an object. One transaction at a time. */

import {
  memoryStorage,
  type PutOptions,
  type PutOutcome,
  StateBackendError,
  type TransactionalOutcome,
  type TransactionalPut,
} from "../../src/index.js";
import { HookedStorage } from "./hooked-storage.js";

/** What results are written with. */
export interface RowWriter {
  write(row: string): void;
}

export class TransactionalStorage extends HookedStorage {
  /** What was committed. */
  readonly rows: string[] = [];
  /** Runs when the work is done and nothing is committed yet. */
  beforeCommit: () => Promise<void> = async () => undefined;
  /** Whether the answer to the next commit is lost, and whether it has taken place then. */
  loses: "nothing" | "a commit" | "the answer" = "nothing";
  #last: Promise<unknown> = Promise.resolve();

  constructor(inner = memoryStorage()) {
    super(inner);
  }

  override put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    // Who creates a name that a transaction holds waits for its end.
    return name.includes("/owner/")
      ? this.#alone(() => super.put(name, body, options))
      : super.put(name, body, options);
  }

  putWith(name: string, body: Uint8Array, put: TransactionalPut<RowWriter>): Promise<TransactionalOutcome> {
    return this.#alone(async () => {
      if (put.guard !== undefined && (await this.#lastBeside(put.guard.last)) !== put.guard.last) return "refused";
      if (await this.#has(name)) return "exists";
      const written: string[] = [];
      await put.work({ write: (row) => void written.push(row) });
      await this.beforeCommit();
      const { loses } = this;
      this.loses = "nothing";
      if (loses === "a commit") throw lost();
      await super.put(name, body, { ifAbsent: true });
      this.rows.push(...written);
      if (loses === "the answer") throw lost();
      return "created";
    });
  }

  async #has(name: string): Promise<boolean> {
    for await (const object of this.list(name.slice(0, name.lastIndexOf("/") + 1))) {
      if (object.name === name) return true;
    }
    return false;
  }

  async #lastBeside(name: string): Promise<string | undefined> {
    const names: string[] = [];
    for await (const object of this.list(name.slice(0, name.lastIndexOf("/") + 1))) names.push(object.name);
    return names.sort().at(-1);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function lost(): Error {
  return new StateBackendError("UNAVAILABLE", "The connection was lost.", { outcome: "unknown" });
}
