/** The servers that tests start. */

export { startRedis } from "../../../scripts/services/redis.mjs";
