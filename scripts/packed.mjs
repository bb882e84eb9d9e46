/** Checks each public package as it would be published: packs it, then runs publint and attw on the tarball. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { capture, captureTool, root } from "./processes.mjs";
import { findPnpm, readManifest, workspaceFolders } from "./setup.mjs";

/** Resolves with `{ code, output }`; the output names each package that failed. */
export async function checkPacked() {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-packed-"));
  try {
    const packed = await packPublic(directory);
    if (packed.code !== 0) return packed;
    const tarballs = readdirSync(directory).map((name) => join(directory, name));
    const results = await Promise.all(tarballs.map(checkTarball));
    const failures = results.flat().filter((result) => result.code !== 0);
    return { code: failures.length === 0 ? 0 : 1, output: failures.map(({ output }) => output).join("\n") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function packPublic(directory) {
  const names = workspaceFolders()
    .map((folder) => readManifest(join(root, folder)))
    .filter((manifest) => manifest.private !== true)
    .map((manifest) => manifest.name);
  const pnpm = await findPnpm();
  const filters = names.flatMap((name) => ["--filter", name]);
  const args = [...pnpm.args, "--recursive", ...filters, "pack", "--pack-destination", directory];
  const { code, output } = await capture(pnpm.command, args, { shell: pnpm.shell });
  if (code !== 0) return { code, output };
  const packedCount = readdirSync(directory).length;
  return packedCount === names.length
    ? { code: 0, output: "" }
    : { code: 1, output: `${output}Not every package was packed. expected=${names.length} packed=${packedCount}.\n` };
}

async function checkTarball(tarball) {
  const publint = await captureTool("publint", "publint", ["run", tarball, "--strict"]);
  const attw = await captureTool("@arethetypeswrong/cli", "attw", [tarball, "--profile", "esm-only", "--no-emoji"]);
  return [publint, attw].map(({ code, output }) => ({ code, output: `${basename(tarball)}\n${output}` }));
}
