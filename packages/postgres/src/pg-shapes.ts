/** What is used of `pg`: any pool of this shape will do. */

import type { CopyIn } from "./copy-in.js";

/** One statement. Rows come as arrays, and values as the text that the server sent. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly rowMode?: "array";
  readonly types?: PostgresTypes;
}

export interface PostgresTypes {
  getTypeParser(): (text: string) => unknown;
}

export interface PostgresResult {
  /** The tag of the command: `COMMIT`, `ROLLBACK`, `INSERT`… */
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

/**
 * What results are written with: a client of `pg` within a transaction, to be used until the work has ended. Cast it to your `PoolClient` for what is not named here;
 * it is neither released nor ended by the work.
 */
export interface PostgresTransaction {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly Row[]; readonly rowCount: number | null }>;
}

/** A `Client` of `pg`, checked out of a pool. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** Rows by COPY: `pg` hands the object the messages of the server. */
  query(query: CopyIn): unknown;
  /** With `true` or an error the connection is ended and not used again. */
  release(destroy?: boolean | Error): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** A `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  listenerCount(event: "error"): number;
  readonly options?: { readonly max?: number | undefined };
}
