/**
 * Backends of other packages that need a disk or a server.
 *
 * By path, and here only, as in workspace.ts.
 */

export { lsm } from "../../../packages/lsm/src/index.js";
export { postgres, postgresStorage } from "../../../packages/postgres/src/index.js";
export { TestServer } from "../../../packages/postgres/test/support/servers.js";
export { redis, redisCheckpoints } from "../../../packages/redis/src/index.js";
export { type RedisServer, startRedis } from "../../../packages/redis/test/support/servers.js";
