/** The stores of the tasks of a job, if its backend has any: one a task, closed with the job. */

import type { StoreProvider } from "../contracts/backend.js";
import type { Clock } from "../contracts/clock.js";
import { TaskStore } from "../stored/task-store.js";
import type { JudgedTask } from "./plan.js";

export class JobStores {
  readonly #job: string;
  readonly #provider: StoreProvider | undefined;
  readonly #clock: Clock;
  readonly #stores = new Map<string, TaskStore>();

  constructor(job: string, provider: StoreProvider | undefined, clock: Clock) {
    this.#job = job;
    this.#provider = provider;
    this.#clock = clock;
  }

  /**
   * Refuses what the stores would refuse later, before anybody is fenced.
   * @throws {StateBackendError} what a store throws; all are closed then
   */
  async prepare(plan: readonly JudgedTask[]): Promise<void> {
    for (const { operator, groups, ...task } of plan) {
      const scope = { job: this.#job, operator: operator.name, maxParallelism: operator.maxParallelism, groups };
      await this.of({ operator, groups, ...task })?.prepare(scope);
    }
  }

  /** The store of a task; the same each time. */
  of({ operator, groups, identity }: JudgedTask): TaskStore | undefined {
    if (this.#provider === undefined) return undefined;
    const name = JSON.stringify([operator.name, groups]);
    const known = this.#stores.get(name);
    if (known !== undefined) return known;
    const { key, keyHash, maxParallelism, states } = identity;
    const store = new TaskStore({
      store: this.#provider.create(),
      clock: this.#clock,
      cacheBytes: this.#provider.cacheBytes,
      memtableBytes: this.#provider.memtableBytes ?? 0,
      schema: JSON.stringify([key, keyHash, maxParallelism, states]),
    });
    this.#stores.set(name, store);
    return store;
  }

  /** Closes all, and gives the first error that comes up. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled([...this.#stores.values()].map((store) => store.close()));
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }
}
