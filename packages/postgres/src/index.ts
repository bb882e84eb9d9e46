export type { PostgresTls } from "./connection-settings.js";
export type { PostgresOptions, PostgresPoolOptions, PostgresUrlOptions } from "./options.js";
export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult, PostgresTypes } from "./pg-shapes.js";
export { migratePostgres, postgres, postgresStorage } from "./postgres.js";
