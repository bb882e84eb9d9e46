/** What the repository's own rules know about it. Edit these tables; the rules are in `tidy-rules.mjs`. */

/**
 * The modules of core, lowest first. A module is a folder of `packages/core/src`, or a file of it. A module imports
 * itself, modules on its own row, and modules on the rows above it. What stands on no row is refused.
 */
export const coreLayers = [
  ["errors", "assert"],
  ["bytes"],
  ["contracts", "key"],
  ["clock"],
  ["telemetry"],
  ["codec", "value"],
  ["storage"],
  ["segment"],
  ["table"],
  ["stored"],
  ["checkpoint"],
  ["state"],
  ["restore"],
  ["task"],
  ["coordinator"],
  ["savepoint"],
  ["job"],
  ["index"],
];

/** What a workspace folder imports of the others: in its sources, and besides in its tests. The first match counts. */
export const workspaceImports = [
  { folder: "packages/core", sources: [], tests: [] },
  { folder: "packages/metrics", sources: ["packages/core"], tests: ["packages/memory", "packages/filesystem"] },
  { folder: "packages/lsm", sources: ["packages/core", "packages/filesystem"], tests: ["conformance"] },
  { folder: "packages/redis", sources: ["packages/core"], tests: ["conformance", "packages/filesystem"] },
  { folder: "packages/*", sources: ["packages/core"], tests: ["conformance"] },
  { folder: "conformance", sources: ["packages/core"], tests: ["packages/*"] },
  { folder: "examples/custom-store", sources: ["packages/core"], tests: ["conformance"] },
  { folder: "examples/*", sources: ["packages/*", "examples/data"], tests: [] },
  { folder: "benchmarks", sources: ["packages/*"], tests: [] },
];

/** Files that import by path: packages that use the kit in their tests, so that the kit cannot name them as its own, and servers that scripts start. */
export const importsByPath = new Set([
  "conformance/test/support/services.ts",
  "conformance/test/support/workspace.ts",
  "packages/redis/test/support/servers.ts",
  "benchmarks/src/harness/redis-server.ts",
  "examples/flights/src/servers.ts",
  "examples/flights/test/servers.ts",
  "examples/ledger/src/main.ts",
  "examples/redis-streams/src/server.ts",
]);

/** Starts servers for tests, examples and benchmarks, which import it by path; sources of packages do not. */
export const servicesFolder = "scripts/services/";

/** What packages export besides themselves. */
export const publicSubpaths = [
  "@tidemark/conformance/jest",
  "@tidemark/conformance/mocha",
  "@tidemark/conformance/node-test",
  "@tidemark/conformance/vitest",
];

/** The folder of each package name. */
export const packageFolders = [
  { prefix: "@tidemark/conformance", folder: "conformance" },
  { prefix: "@tidemark/", folder: "packages" },
  { prefix: "@tidemark-examples/", folder: "examples" },
];

/** Time and randomness come through this file only. */
export const clockFile = "packages/core/src/clock.ts";

/** Properties that ask the system for time or randomness. */
export const bannedProperties = [
  { object: "Date", names: ["now"] },
  { object: "Math", names: ["random"] },
  { object: "performance", names: ["now", "timeOrigin"] },
  { object: "process", names: ["hrtime"] },
  { object: "timers", names: ["setTimeout", "setInterval", "setImmediate"] },
];

/** Names that ask the system for time or randomness, wherever they come from. */
export const bannedNames = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "hrtime",
  "randomBytes",
  "randomInt",
  "randomUUID",
  "randomFill",
  "randomFillSync",
  "getRandomValues",
];

/** Builtin modules that one file of a package alone may import. */
export const builtinOwners = [
  {
    folder: "packages/filesystem/src",
    builtins: ["fs", "fs/promises"],
    owner: "packages/filesystem/src/node-files.ts",
  },
  { folder: "packages/lsm/src", builtins: ["fs", "fs/promises"], owner: "packages/lsm/src/disk.ts" },
];

export const lineCountMax = 400;
