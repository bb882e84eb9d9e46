export interface PgbouncerOptions {
  /** Of a server on this machine that trusts its user `tidemark`. */
  readonly port: number;
  /** How many sessions of the server all clients share. */
  readonly sessions: number;
}

export interface Pgbouncer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A pooler that gives a session to a client for one transaction. Fails, with a remedy, where the program is missing and cannot be fetched. */
export function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer>;
