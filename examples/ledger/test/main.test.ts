/** The example as its users run it. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("ledger: killed 20 times, the tables are balanced to the cent and those of a plain computation", {
  timeout: 240_000,
}, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toContain("killed 20 times with SIGKILL");
  expect(stdout).toContain("all balances together: 0.00\n");
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^ledger: match ([0-9a-f]{16} ?){3}$/);
});
