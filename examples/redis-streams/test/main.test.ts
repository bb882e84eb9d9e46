/** The example as its users run it. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("redis-streams: position, state and results are those of a recount after five kills", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.filter((line) => line.startsWith("killed with SIGKILL"))).toHaveLength(5);
  expect(lines.filter((line) => line.startsWith("goes on from the start"))).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith("goes on from checkpoint "))).toHaveLength(4);
  expect(lines.at(-1)).toMatch(/^exactly-once: match [0-9a-f]{16}$/);
});
