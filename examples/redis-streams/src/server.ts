/** The server that the example runs on: one of its own, which is ended with it. */

export { startRedis } from "../../../scripts/services/redis.mjs";
