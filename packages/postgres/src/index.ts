export type { PostgresTls } from "./connection-settings.js";
export type { PostgresOptions, PostgresPoolOptions, PostgresUrlOptions } from "./options.js";
export type {
  PostgresClient,
  PostgresPool,
  PostgresQuery,
  PostgresResult,
  PostgresTransaction,
  PostgresTypes,
} from "./pg-shapes.js";
export { migratePostgres, postgres, type PostgresBackend, postgresStorage } from "./postgres.js";
export type { PostgresStorage } from "./postgres-storage.js";
export type { TransactionWork } from "./callers-work.js";
