/** The example as its users run it. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("sessions: after every crash the result is that of a plain computation", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^sessions: match [0-9a-f]{16}$/);
});
