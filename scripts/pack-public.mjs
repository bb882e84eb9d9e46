/** Makes the tarballs that would be published. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { capture, root } from "./processes.mjs";
import { findPnpm, readManifest, workspaceFolders } from "./setup.mjs";

/** Packs every public package into `directory`. Resolves with `{ code, output }`. */
export async function packPublic(directory) {
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
