/** The command that the README shows. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const cli = fileURLToPath(new URL("../../../conformance/dist/cli/main.js", import.meta.url));
const harness = fileURLToPath(new URL("./harness.mjs", import.meta.url));

/** What it says of each law, on its way. */
function verify(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, "verify", harness, "--profile", "quick", ...args], (_error, _stdout, stderr) =>
      resolve(stderr),
    );
  });
}

it("T17 T25 T28 S9 the laws hold on a cluster, by the command of the kit", { timeout: 120_000 }, async () => {
  const jobs = await verify("--export", "cluster", "--only", "exactly-once,race-to-own");
  expect(jobs).toMatch(/^passed +exactly-once /m);
  expect(jobs).toMatch(/^passed +race-to-own /m);
  const stores = await verify("--export", "clusterStore", "--only", "S9");
  expect(stores).toMatch(/^passed +any-store-history /m);
});
