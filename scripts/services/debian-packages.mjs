/** Packages of Debian that are downloaded and unpacked without being installed, so that no service is started. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { capture, root } from "../processes.mjs";

/** The folder in which `packages` are unpacked: `node_modules/<name>`, once. Fails with what apt says. */
export async function unpackedPackages(name, packages) {
  const target = join(root, "node_modules", name);
  if (existsSync(target)) return target;
  mkdirSync(join(root, "node_modules"), { recursive: true });
  const work = mkdtempSync(join(root, "node_modules", `${name}-`));
  try {
    await download(work, packages);
    const unpacked = join(work, "unpacked");
    for (const file of readdirSync(work).filter((entry) => entry.endsWith(".deb"))) {
      const { code, output } = await capture("dpkg-deb", ["-x", join(work, file), unpacked]);
      if (code !== 0) throw new Error(output.trim());
    }
    // Another process may have been faster: what it unpacked is the same.
    if (!existsSync(target)) renameSync(unpacked, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** For `LD_LIBRARY_PATH`: where the libraries of unpacked packages are. */
export function libraryPathOf(unpacked) {
  const libraries = join(unpacked, "usr", "lib");
  if (!existsSync(libraries)) return "";
  return [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))].join(delimiter);
}

async function download(work, packages) {
  let fetched = await capture("apt-get", ["download", ...packages], { cwd: work });
  if (fetched.code !== 0) {
    const lists = join(work, "lists");
    mkdirSync(join(lists, "partial"), { recursive: true });
    const own = ["-o", `Dir::State::lists=${lists}`, "-o", `Dir::Cache=${work}`];
    await capture("apt-get", [...own, "update"], { cwd: work });
    fetched = await capture("apt-get", [...own, "download", ...packages], { cwd: work });
  }
  if (fetched.code !== 0) throw new Error(fetched.output.trim().slice(-300));
}
