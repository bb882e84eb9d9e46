/** One schema of one database: found to be as it must be before the first use, and made if it is missing. */

import { hasCode, isStateBackendError, quoted, StateBackendError } from "@tidemark/core";
import type { Database } from "./database.js";
import { checkTables, migrate } from "./migrations.js";
import { sqlStateOf } from "./postgres-error.js";
import { checkServer } from "./server-check.js";
import type { Tables } from "./tables.js";

export interface PlaceParts {
  readonly database: Database;
  readonly tables: Tables;
  /** Whether missing tables are made. */
  readonly isMigrating: boolean;
  /** Is told once what the server is set to that makes it lose acknowledged changes. */
  readonly warn: (message: string) => void;
}

export class Place {
  readonly database: Database;
  readonly tables: Tables;
  readonly #parts: PlaceParts;
  #ready: Promise<void> | undefined;
  #hasWarned = false;

  constructor(parts: PlaceParts) {
    this.database = parts.database;
    this.tables = parts.tables;
    this.#parts = parts;
  }

  /** @throws {StateBackendError} what is wrong with the server or the tables; asked again by the next call */
  async ready(): Promise<void> {
    this.#ready ??= this.#check();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async #check(): Promise<void> {
    const { database, tables, isMigrating } = this.#parts;
    this.#warn(await checkServer(database));
    if (await checkTables(database, tables)) return;
    if (!isMigrating) throw missing(tables);
    try {
      await migrate(database, tables);
    } catch (error) {
      throw isStateBackendError(error) && sqlStateOf(error.cause) === "42501"
        ? missing(tables, error.cause)
        : taken(error, tables);
    }
    await checkTables(database, tables);
  }

  #warn(settings: readonly string[]): void {
    if (settings.length === 0 || this.#hasWarned) return;
    this.#hasWarned = true;
    this.#parts.warn(
      `The server may lose acknowledged changes when its machine fails. off=${settings.join(",")}. Switch them on, or do not count on it.`,
    );
  }
}

function missing({ schemaName }: Tables, cause?: unknown): Error {
  return new StateBackendError(
    "UNAVAILABLE",
    `The tables are missing or of an older version, and this role may not make them. schema=${quoted(schemaName)}. ` +
      "Run migratePostgres as the owner of the schema.",
    cause === undefined ? {} : { cause },
  );
}

function taken(error: unknown, { schemaName }: Tables): unknown {
  const state = isStateBackendError(error) ? sqlStateOf(error.cause) : undefined;
  if (state !== "42P07" && !hasCode(error, "STATE_INCOMPATIBLE")) return error;
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    `The schema has tables of these names that Tidemark did not make. schema=${quoted(schemaName)}. Use another schema.`,
    { cause: error },
  );
}
