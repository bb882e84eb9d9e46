/** Where connections come from: a pool of the caller's, or one that is made with the first handle and ended with the last. */

import type { PostgresClient, PostgresPool } from "./pg-shapes.js";
import { watchIdle } from "./database.js";

/** Settings of a pool of `pg`, as far as they are used. */
export type MakePool = () => Promise<PostgresPool>;

export class PoolSource {
  readonly #make: MakePool;
  readonly #isOwn: boolean;
  #pool: Promise<PostgresPool> | undefined;
  #users = 0;

  private constructor(make: MakePool, isOwn: boolean) {
    this.#make = make;
    this.#isOwn = isOwn;
  }

  static of(pool: PostgresPool): PoolSource {
    return new PoolSource(async () => pool, false);
  }

  static making(make: MakePool): PoolSource {
    return new PoolSource(make, true);
  }

  async connect(): Promise<PostgresClient> {
    const pool = await this.#get();
    return pool.connect();
  }

  /** How many connections there may be at a time. */
  async sizeMax(): Promise<number> {
    const { options } = await this.#get();
    return options?.max ?? 10;
  }

  /** Counts a handle. Each is given back with `leave`, once. */
  join(): void {
    this.#users++;
  }

  async leave(): Promise<void> {
    this.#users--;
    if (this.#users > 0 || !this.#isOwn || this.#pool === undefined) return;
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool).end();
  }

  async #get(): Promise<PostgresPool> {
    this.#pool ??= this.#make();
    try {
      const pool = await this.#pool;
      watchIdle(pool);
      return pool;
    } catch (error) {
      this.#pool = undefined;
      throw error;
    }
  }
}
