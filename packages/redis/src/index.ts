/** Working state and checkpoints in Redis. */

export type { RedisCommonOptions } from "./options.js";
export { type RedisCheckpoints, redisCheckpoints, type RedisCheckpointsOptions } from "./redis-checkpoints.js";
export type { RedisClient } from "./redis-client.js";
export { redis, type RedisBackend, type RedisOptions } from "./redis.js";
export type { DurabilityClass, ServerFacts } from "./server-facts.js";
