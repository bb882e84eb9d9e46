/** One history on all backends of the workspace, each with state and checkpoints in its own place: what it leaves is the same. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, memoryStorage } from "@tidemark/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { sameSavepoints } from "../src/differential/same-savepoints.js";
import type { Harness } from "../src/harness.js";
import { memoryHarness } from "./support/harnesses.js";
import { lsm, postgres, postgresStorage, redis, redisCheckpoints } from "./support/services.js";
import { type RedisServer, startRedis, TestServer } from "./support/services.js";
import { PROPERTY_TIMEOUT_MS, report, settings } from "./support/settings.js";
import { directory, filesystem } from "./support/workspace.js";

const root = mkdtempSync(join(tmpdir(), "tidemark-one-history-"));
let redisServer: RedisServer;
let postgresServer: TestServer;
let places = 0;

/** A name that no other place has. */
const next = (): string => `p${++places}`;
const newDirectory = (): string => join(root, next());

beforeAll(async () => {
  redisServer = await startRedis();
  // What is compared is what is read back, not what the machine's death leaves.
  postgresServer = await TestServer.start({ settings: { fsync: "off" } });
});
afterAll(async () => {
  await redisServer.stop();
  await postgresServer.stop();
  rmSync(root, { recursive: true, force: true });
});

const onFilesystem: Harness = {
  name: "filesystem",
  backend: () => filesystem({ directory: newDirectory() }),
  place: directoryPlace,
};

const onLsm: Harness = {
  name: "lsm",
  backend: () => lsm({ directory: newDirectory(), checkpoints: memoryStorage(), preset: "low-memory" }),
  place: directoryPlace,
};

const onRedis: Harness = {
  name: "redis",
  backend: (): Backend => redis({ url: redisServer.url, prefix: `${next()}:`, checkpoints: memoryStorage() }),
  place: () => {
    const prefix = `${next()}:`;
    return { open: () => redisCheckpoints({ url: redisServer.url, prefix }) };
  },
};

const onPostgres: Harness = {
  name: "postgres",
  backend: () => postgres({ pool: pool(), schema: next(), cacheBytes: 4096, onWarning: () => undefined }),
  place: () => {
    const schema = next();
    return { open: () => postgresStorage({ pool: pool(), schema, onWarning: () => undefined }) };
  },
};

let sharedPool: ReturnType<TestServer["pool"]> | undefined;
/** One for all: what a pool of each handle's own would do is tested elsewhere. */
function pool(): ReturnType<TestServer["pool"]> {
  return (sharedPool ??= postgresServer.pool({ max: 8 }));
}

function directoryPlace(): ReturnType<Harness["place"]> {
  const path = newDirectory();
  return { open: () => directory(path) };
}

describe("T147 one history leaves the same savepoints on all backends", () => {
  const cases = [
    { harness: memoryHarness, runs: 8 },
    { harness: onFilesystem, runs: 3 },
    { harness: onLsm, runs: 5 },
    { harness: onRedis, runs: 5 },
    { harness: onPostgres, runs: 3 },
  ];
  // The same seed: the first histories are the same for all.
  it.each(cases)("on $harness.name", { timeout: 2 * PROPERTY_TIMEOUT_MS }, async ({ harness, runs }) => {
    const coverage = new Coverage();
    await checkProperty("same savepoints", sameSavepoints(harness, coverage, 40), settings(runs));
    expect(coverage.counts.get("savepoints compared") ?? 0).toBeGreaterThan(0);
    report(harness.name, coverage);
  });
});
