/** Servers of the tests: each file has its own. */

import pg from "pg";
import {
  type PostgresServer,
  type PostgresServerOptions,
  startPostgres,
} from "../../../../scripts/services/postgres.mjs";

export { startPostgres };
export { findPostgres } from "../../../../scripts/services/find-postgres.mjs";

/** A server, and what was made on it. */
export class TestServer {
  readonly server: PostgresServer;
  readonly admin: pg.Pool;
  readonly #pools: pg.Pool[] = [];
  #schemas = 0;

  private constructor(server: PostgresServer) {
    this.server = server;
    this.admin = new pg.Pool({ connectionString: server.url, max: 3 });
    this.admin.on("error", () => undefined);
  }

  static async start(options?: PostgresServerOptions): Promise<TestServer> {
    return new TestServer(await startPostgres(options));
  }

  get url(): string {
    return this.server.url;
  }

  /** A name that no other schema has. */
  newSchema(): string {
    this.#schemas++;
    return `s${this.#schemas}`;
  }

  /** A pool that is ended with the server. */
  pool(settings: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.url, max: 4, ...settings });
    pool.on("error", () => undefined);
    this.#pools.push(pool);
    return pool;
  }

  /** Rows of a statement of the superuser. */
  async sql(text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    const { rows } = await this.admin.query(text, [...values]);
    return rows as readonly Record<string, unknown>[];
  }

  async stop(): Promise<void> {
    // A server that is gone gives no answer to a goodbye.
    const open = [this.admin, ...this.#pools].filter(({ ended }) => !ended);
    await Promise.allSettled(open.map((pool) => pool.end()));
    await this.server.stop();
  }
}
