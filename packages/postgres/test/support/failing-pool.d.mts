import type pg from "pg";
import type { PostgresClient, PostgresPool } from "../../src/index.js";

/** A pool whose server can be made to seem gone: for one question, or for good. */
export class FailingPool implements PostgresPool {
  constructor(pool: pg.Pool);
  get options(): { readonly max: number };
  /** The process dies: no later question reaches the server. */
  kill(): void;
  /** The `nth` question from now on fails, from 0. The result ends this, and says whether it has failed. */
  failAt(nth: number): () => boolean;
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  listenerCount(event: "error"): number;
}
