/** Checks each public package as it would be published: packs it, runs publint and attw on the tarball, and uses the kit from its own. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { packPublic } from "./pack-public.mjs";
import { checkPackedKit } from "./packed-kit.mjs";
import { captureTool } from "./processes.mjs";

/** Resolves with `{ code, output }`; the output names each package that failed. */
export async function checkPacked() {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-packed-"));
  try {
    const packed = await packPublic(directory);
    if (packed.code !== 0) return packed;
    const tarballs = readdirSync(directory).map((name) => join(directory, name));
    const results = await Promise.all(tarballs.map(checkTarball));
    results.push(await checkPackedKit(tarballs, { only: ["--only", "objects"] }));
    const failures = results.flat().filter((result) => result.code !== 0);
    return { code: failures.length === 0 ? 0 : 1, output: failures.map(({ output }) => output).join("\n") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function checkTarball(tarball) {
  const publint = await captureTool("publint", "publint", ["run", tarball, "--strict"]);
  const attw = await captureTool("@arethetypeswrong/cli", "attw", [tarball, "--profile", "esm-only", "--no-emoji"]);
  return [publint, attw].map(({ code, output }) => ({ code, output: `${basename(tarball)}\n${output}` }));
}
