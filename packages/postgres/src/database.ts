/**
 * Statements and transactions on connections of a pool.
 *
 * Invariants:
 * - Nothing is left to the session: works behind a proxy that gives each transaction another connection.
 * - A connection on which anything failed is ended, never given back.
 * - A transaction has taken place only if the server answered COMMIT with COMMIT.
 */

import { type Clock, type Random, StateBackendError } from "@tidemark/core";
import { CopyIn } from "./copy-in.js";
import type { PostgresClient, PostgresPool, PostgresQuery, PostgresTypes } from "./pg-shapes.js";
import { asStateError, isConnectionLoss, isRepeatable } from "./postgres-error.js";

export type Row = readonly (string | null)[];

export interface Rows {
  readonly rows: readonly Row[];
  /** How many rows were changed, or found. */
  readonly count: number;
}

/** A transaction that is open. */
export interface Session {
  query(text: string, values?: readonly unknown[]): Promise<Rows>;
  /** The connection itself, for statements of the caller's. */
  readonly client: PostgresClient;
  /** Sends rows in the binary format of COPY, with header and trailer. */
  copy(text: string, rows: Buffer): Promise<void>;
}

export interface TransactionOptions {
  /** What is done, for errors: "Applying". */
  readonly doing: string;
  /** Whose transaction it is: shown by the server, so that a new owner finds those that hang. */
  readonly label?: string;
}

export interface DatabaseParts {
  readonly connect: () => Promise<PostgresClient>;
  readonly clock: Clock;
  readonly random: Random;
  /** So long may one statement take, and the wait for a connection, milliseconds. */
  readonly timeoutMs: number;
}

const REPEATS_MAX = 5;
const REPEAT_PAUSE_MS = 10;
/** What the server ends by itself, so that a process that stands still does not hold up others. */
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
const SNAPSHOT_IDLE_TIMEOUT_MS = 600_000;

const asText: PostgresTypes = { getTypeParser: () => (text: string) => text };
const ignore = (): void => undefined;

/** What the commit of a transaction gave. */
export class UnknownOutcome extends Error {}

export class Database {
  readonly #parts: DatabaseParts;

  constructor(parts: DatabaseParts) {
    this.#parts = parts;
  }

  /** One statement that is a transaction of its own, and changes nothing. */
  async read(doing: string, text: string, values: readonly unknown[]): Promise<Rows> {
    try {
      return await this.#withClient((client) => this.#query(client, text, values));
    } catch (error) {
      throw asStateError(error, doing);
    }
  }

  /**
   * Does `work` in a transaction; repeated as a whole if the server asks for it.
   * @throws {UnknownOutcome} if the connection was lost while it committed
   */
  async transaction<T>(options: TransactionOptions, work: (session: Session) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#withClient((client) => this.#transaction(client, options, work));
      } catch (error) {
        if (!isRepeatable(error) || tries >= REPEATS_MAX) throw asStateError(error, options.doing);
      }
      const jitter = (this.#parts.random.bytes(1)[0] as number) / 256;
      await this.pause(REPEAT_PAUSE_MS * 2 ** tries * (0.5 + jitter));
    }
  }

  /** A transaction that reads one state of the database, until it is ended. The caller ends it. */
  async snapshot(doing: string): Promise<Snapshot> {
    try {
      const client = await this.#connect();
      const snapshot = new Snapshot(client, (text, values) => this.#query(client, text, values), doing);
      try {
        await this.#query(client, beginText(true, this.#parts.timeoutMs));
      } catch (error) {
        snapshot.end();
        throw error;
      }
      return snapshot;
    } catch (error) {
      throw asStateError(error, doing);
    }
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.schedule(delayMs, resolve, true);
    });
  }

  async #transaction<T>(
    client: PostgresClient,
    { label }: TransactionOptions,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    await this.#query(client, beginText(false, this.#parts.timeoutMs) + labelText(label));
    const result = await work({
      client,
      query: (text, values) => this.#query(client, text, values),
      copy: (text, rows) => this.#copy(client, text, rows),
    });
    await this.#commit(client);
    return result;
  }

  async #commit(client: PostgresClient): Promise<void> {
    let tag: string;
    try {
      ({ command: tag } = await this.#inTime(client.query({ text: "COMMIT" })));
    } catch (error) {
      if (isConnectionLoss(error)) {
        throw new UnknownOutcome("The connection was lost while it committed.", { cause: error });
      }
      throw error;
    }
    // After a statement that failed and was not noticed the server answers ROLLBACK, and calls that a success.
    if (tag !== "COMMIT") {
      throw new StateBackendError(
        "UNAVAILABLE",
        `The server did not commit. answer=${JSON.stringify(tag)}. Nothing was changed; repeat the call.`,
      );
    }
  }

  async #withClient<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    client.on("error", ignore);
    try {
      const result = await work(client);
      release(client, false);
      return result;
    } catch (error) {
      release(client, true);
      throw error;
    }
  }

  async #connect(): Promise<PostgresClient> {
    const connecting = this.#parts.connect();
    try {
      return await this.#inTime(connecting);
    } catch (error) {
      // Who comes late is not forgotten in the pool.
      connecting.then((client) => client.release(), ignore);
      throw error;
    }
  }

  async #query(client: PostgresClient, text: string, values?: readonly unknown[]): Promise<Rows> {
    const query: PostgresQuery = { text, rowMode: "array", types: asText, ...(values === undefined ? {} : { values }) };
    const { rows, rowCount } = await this.#inTime(client.query(query));
    return { rows: (rows ?? []) as readonly Row[], count: rowCount ?? 0 };
  }

  async #copy(client: PostgresClient, text: string, rows: Buffer): Promise<void> {
    const copy = new CopyIn(text, rows);
    client.query(copy);
    await this.#inTime(copy.done);
  }

  /** The server ends statements by itself after the same time; this is for a server that does not answer at all. */
  #inTime<T>(answer: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(Object.assign(new Error(`No answer in ${timeoutMs} ms.`), { code: "ETIMEDOUT" }));
      const timer = clock.schedule(timeoutMs + 1_000, late, true);
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}

/** A transaction that reads, and is ended without an answer. */
export class Snapshot {
  readonly #client: PostgresClient;
  readonly #ask: Session["query"];
  readonly #doing: string;
  #isEnded = false;

  constructor(client: PostgresClient, ask: Session["query"], doing: string) {
    this.#client = client;
    this.#ask = ask;
    this.#doing = doing;
    client.on("error", ignore);
  }

  async query(text: string, values?: readonly unknown[]): Promise<Rows> {
    try {
      return await this.#ask(text, values);
    } catch (error) {
      this.end();
      throw asStateError(error, this.#doing);
    }
  }

  /** Ends the connection: what was asked and not answered is given up. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    release(this.#client, true);
  }

  /** Gives the connection back. */
  async finish(): Promise<void> {
    if (this.#isEnded) return;
    await this.query("COMMIT");
    if (this.#isEnded) return;
    this.#isEnded = true;
    release(this.#client, false);
  }
}

function release(client: PostgresClient, destroy: boolean): void {
  client.release(destroy);
  if (!destroy) client.removeListener("error", ignore);
}

/** All in one message. Whatever the role has set, a commit is durable, and names mean what they mean in the catalog. */
function beginText(isSnapshot: boolean, timeoutMs: number): string {
  const mode = isSnapshot ? "ISOLATION LEVEL REPEATABLE READ, READ ONLY" : "ISOLATION LEVEL READ COMMITTED, READ WRITE";
  const idle = isSnapshot ? SNAPSHOT_IDLE_TIMEOUT_MS : IDLE_TIMEOUT_MS;
  return [
    `BEGIN ${mode}`,
    "SET LOCAL search_path = ''",
    "SET LOCAL synchronous_commit = on",
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    `SET LOCAL lock_timeout = ${Math.min(LOCK_TIMEOUT_MS, timeoutMs)}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${idle}`,
  ].join("; ");
}

/** What the server shows of the transactions of an owner. */
export function labelOf(owner: string): string {
  if (!/^\d+$/.test(owner)) throw new TypeError("An owner is a number.");
  return `tidemark-owner-${owner}`;
}

function labelText(label: string | undefined): string {
  if (label !== undefined && !/^[a-z0-9-]+$/.test(label)) throw new TypeError("A label is of a-z, 0-9 and -.");
  return label === undefined ? "" : `; SET LOCAL application_name = '${label}'`;
}

/** Connections that break while nobody uses them are the pool's to replace, and no reason for the process to end. */
export function watchIdle(pool: PostgresPool): void {
  if (pool.listenerCount("error") === 0) pool.on("error", ignore);
}
