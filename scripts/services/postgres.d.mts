/** How a server ends: `fast` ends sessions, `immediate` leaves recovery to the next start, `smart` waits for sessions. */
export type StopMode = "fast" | "immediate" | "smart";

export interface PostgresServerOptions {
  /** Settings of the server, as in `postgresql.conf`. Without any it syncs as in production. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Certificate and key, in PEM format: the server encrypts if a client asks for it. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Further arguments of `initdb`. */
  readonly initdb?: readonly string[];
  /** The data of a server that was started here and does not run: a copy is used instead of a new cluster. */
  readonly copyOf?: string;
  /** The folder of the programs. Default: as found on this machine, or fetched. */
  readonly bin?: string;
}

/** A server that was started here. */
export interface PostgresServer {
  /** Of the superuser `tidemark` of the cluster. */
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Where its data is. */
  readonly data: string;
  /** The end of what it has logged since it was started. */
  readonly log: string;
  urlOf(user: string, password: string, database?: string): string;
  /** Starts it again after `halt` or `kill`; resolves when it accepts connections. */
  start(): Promise<void>;
  halt(mode?: StopMode): Promise<void>;
  restart(mode?: StopMode): Promise<void>;
  /** SIGKILL for the server and all of its children. */
  kill(): Promise<void>;
  /** Makes a standby a server of its own. */
  promote(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A new cluster on a free port. Fails, with a remedy, where no server is installed or can be fetched. */
export function startPostgres(options?: PostgresServerOptions): Promise<PostgresServer>;
/** A server that streams from `primary`, which is restarted for it; read only until it is promoted. */
export function startStandby(primary: PostgresServer, options?: PostgresServerOptions): Promise<PostgresServer>;
