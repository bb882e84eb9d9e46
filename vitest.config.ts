import { defineConfig } from "vitest/config";

const workspaces = "{packages/*,conformance,examples/*,benchmarks}";

export default defineConfig({
  test: {
    include: [`${workspaces}/src/**/*.test.ts`, `${workspaces}/test/**/*.test.ts`, "scripts/**/*.test.mjs"],
    env: { STATE_VERIFY: "1" },
    testTimeout: 30_000,
  },
});
