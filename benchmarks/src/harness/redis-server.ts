/** The server that a trial starts. */

export { startRedis } from "../../../scripts/services/redis.mjs";
