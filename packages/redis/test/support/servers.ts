/** The servers that tests start. */

export {
  command,
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from "../../../../scripts/services/redis.mjs";
