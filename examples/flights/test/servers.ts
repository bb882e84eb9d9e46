/** The servers that tests start. */

export { startPostgres } from "../../../scripts/services/postgres.mjs";
export { startRedis } from "../../../scripts/services/redis.mjs";
