/** The backend that keeps working state and checkpoints in a PostgreSQL database. */

import { type Backend, type StoreProvider, systemClock, systemRandom } from "@tidemark/core";
import { makePool, poolSettings } from "./connection-settings.js";
import { Database } from "./database.js";
import { migrate } from "./migrations.js";
import { type PostgresOptions, type PostgresSettings, postgresSettings } from "./options.js";
import type { PostgresTransaction } from "./pg-shapes.js";
import { Place } from "./place.js";
import { PoolSource } from "./pool-source.js";
import { PostgresStorage } from "./postgres-storage.js";
import { PostgresStore } from "./postgres-store.js";
import { ScanSlots } from "./scan-slots.js";
import { tablesOf } from "./tables.js";

/** A backend whose checkpoints can be completed together with writes of the caller's. */
export interface PostgresBackend extends Backend<false, PostgresTransaction> {
  readonly checkpoints: PostgresStorage;
  readonly store: StoreProvider;
}

/**
 * Working state in a database: what does not fit memory is read from there. Checkpoints go to the same database unless another place is given.
 * @throws {TypeError} for an unknown option, or not exactly one of `pool` and `url`
 * @throws {RangeError} for a number or a schema name out of range
 */
export function postgres(options: PostgresOptions): PostgresBackend {
  const { place, source, settings } = partsOf(options);
  const slots = new ScanSlots(() => source.sizeMax());
  const store = Object.freeze({
    cacheBytes: settings.cacheBytes,
    create: () => new PostgresStore({ place, source, slots }),
  });
  const checkpoints = new PostgresStorage({ place, source, random: systemRandom });
  return Object.freeze({ name: "postgres", sync: false, checkpoints, store });
}

/**
 * Checkpoints in a database, for jobs whose working state is elsewhere.
 * @throws {TypeError} or {RangeError} as `postgres`
 */
export function postgresStorage(options: PostgresOptions): PostgresStorage {
  const { place, source } = partsOf(options);
  return new PostgresStorage({ place, source, random: systemRandom });
}

/**
 * Makes the tables, or brings them up to date: once, as the owner of the schema. Safe to repeat, and to run at the same time.
 * @throws {StateBackendError} FORMAT_UNSUPPORTED if a newer version has made them, STATE_INCOMPATIBLE if something else has
 */
export async function migratePostgres(options: PostgresOptions): Promise<void> {
  const { database, source, place } = partsOf({ ...options, migrate: true });
  source.join();
  try {
    await place.ready();
    await migrate(database, place.tables);
  } finally {
    await source.leave();
  }
}

interface Parts {
  readonly place: Place;
  readonly source: PoolSource;
  readonly database: Database;
  readonly settings: PostgresSettings;
}

function partsOf(options: PostgresOptions): Parts {
  const settings = postgresSettings(options);
  const tables = tablesOf(settings.schema);
  const source = sourceOf(options, settings);
  const { timeoutMs } = settings;
  const connect = () => source.connect();
  const database = new Database({ connect, clock: systemClock, random: systemRandom, timeoutMs });
  const place = new Place({ database, tables, isMigrating: settings.migrate, warn: settings.onWarning });
  return { place, source, database, settings };
}

function sourceOf(options: PostgresOptions, { connectionsMax, timeoutMs }: PostgresSettings): PoolSource {
  if (options.pool !== undefined) return PoolSource.of(options.pool);
  const settings = poolSettings(options.url, { tls: options.tls, connectionsMax, timeoutMs });
  return PoolSource.making(() => makePool(settings));
}
