/** A pool whose server can be made to seem gone: for one question, or for good. */

import type pg from "pg";
import { CopyIn } from "../../src/copy-in.js";
import type { PostgresClient, PostgresPool, PostgresQuery } from "../../src/index.js";

export class FailingPool implements PostgresPool {
  readonly #pool: pg.Pool;
  #isDead = false;
  #countdown: number | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  get options(): { readonly max: number } {
    return { max: this.#pool.options.max };
  }

  /** The process dies: no later question reaches the server. */
  kill(): void {
    this.#isDead = true;
  }

  /** The `nth` question from now on fails, from 0. The result ends this, and says whether it has failed. */
  failAt(nth: number): () => boolean {
    this.#countdown = nth;
    return () => {
      const hasStruck = this.#countdown === undefined;
      this.#countdown = undefined;
      return hasStruck;
    };
  }

  async connect(): Promise<PostgresClient> {
    this.#check();
    const client = await this.#pool.connect();
    const ask = (question: Parameters<PostgresClient["query"]>[0]): unknown => {
      // COPY says what has failed by itself, and only to the object that was handed in.
      if (question instanceof CopyIn) return client.query(question as unknown as pg.Submittable);
      return this.#asked(client, question);
    };
    return Object.assign(Object.create(client) as PostgresClient, { query: ask });
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  on(event: "error", listener: (error: Error) => void): unknown {
    return this.#pool.on(event, listener);
  }

  listenerCount(event: "error"): number {
    return this.#pool.listenerCount(event);
  }

  async #asked(client: pg.PoolClient, question: PostgresQuery): Promise<unknown> {
    this.#check();
    if (this.#countdown === 0) {
      this.#countdown = undefined;
      throw gone();
    }
    if (this.#countdown !== undefined) this.#countdown--;
    return client.query(question as unknown as pg.QueryConfig);
  }

  #check(): void {
    if (this.#isDead) throw gone();
  }
}

function gone(): Error {
  return Object.assign(new Error("The connection is gone."), { code: "ECONNRESET" });
}
