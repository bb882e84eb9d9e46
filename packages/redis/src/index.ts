/** Working state and checkpoints in Redis. */

export type { RedisCommonOptions } from "./options.js";
export type { RedisClient } from "./redis-client.js";
export { redis, type RedisBackend, type RedisOptions } from "./redis.js";
