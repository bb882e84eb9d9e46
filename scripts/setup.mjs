/**
 * Installs and builds what is out of date. Safe to repeat; silent when there is nothing to do.
 *
 * Invariants:
 * - Nothing is printed on stdout; progress and failures go to stderr.
 * - The stamp is written only after an install that succeeded, and lives in node_modules, so that it goes with it.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture, captureTool, isMain, root } from "./processes.mjs";

const stampPath = join(root, "node_modules", ".tidemark-setup");
const nodeVersionMin = [20, 19];
const pnpmProbeTimeoutMs = 20_000;

/** Throws `SetupError` if the workspace cannot be brought up to date. */
export async function setup() {
  checkNodeVersion();
  await install();
  await build();
}

export class SetupError extends Error {}

/** Runs `setup`; on failure prints why and ends the process. */
export async function setupOrExit() {
  try {
    await setup();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message.trimEnd()}\n`);
    process.exit(1);
  }
}

/** How to call pnpm in the pinned version: the one on the PATH if it is that version, else through npx. */
export async function findPnpm() {
  const { packageManager } = readManifest(root);
  const version = packageManager.split("@")[1].split("+")[0];
  const shell = process.platform === "win32";
  // Outside the workspace: inside, another version of pnpm would first fetch the pinned one.
  const probe = await capture("pnpm", ["--version"], { cwd: tmpdir(), shell, timeoutMs: pnpmProbeTimeoutMs });
  const found = probe.code === 0 && probe.output.trim() === version;
  return found
    ? { command: "pnpm", args: [], version, shell }
    : { command: "npx", args: ["--yes", `pnpm@${version}`], version, shell };
}

/** The folders of the workspace that hold a package, relative to the root. */
export function workspaceFolders() {
  const children = (parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
  const candidates = [...children("packages"), "conformance", ...children("examples"), "benchmarks"];
  return candidates.filter((folder) => existsSync(join(root, folder, "package.json"))).sort();
}

export function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [majorMin, minorMin] = nodeVersionMin;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new SetupError(
    `Node.js is too old. found=${process.versions.node} required=>=${majorMin}.${minorMin}. Install a newer Node.js.`,
  );
}

async function install() {
  const wanted = installHash();
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === wanted) return;
  process.stderr.write("Installing dependencies...\n");
  const pnpm = await findPnpm();
  // --prod=false: NODE_ENV=production must not leave the tools out. CI: pnpm may not ask questions.
  const args = [...pnpm.args, "install", "--frozen-lockfile", "--prod=false"];
  const { code, output } = await capture(pnpm.command, args, {
    env: { ...process.env, CI: "true" },
    shell: pnpm.shell,
  });
  if (code !== 0) throw new SetupError(`${output}Install failed. tool=pnpm@${pnpm.version} exit=${code}.`);
  writeFileSync(stampPath, wanted);
}

/** Covers all that decides what an install does. */
function installHash() {
  const manifests = ["package.json", ...workspaceFolders().map((folder) => `${folder}/package.json`)];
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    hash
      .update(`${path}\n`)
      .update(readFileSync(join(root, path)))
      .update("\n");
  }
  return hash.digest("hex");
}

async function build() {
  const fresh = workspaceFolders().some((folder) => !existsSync(join(root, folder, "dist")));
  if (fresh) process.stderr.write("Building...\n");
  for (const folder of workspaceFolders()) removeOrphans(join(root, folder));
  const { code, output } = await captureTool("typescript", "tsc", ["-b", "--pretty", "false"]);
  if (code !== 0) throw new SetupError(`${output}Build failed. tool=tsc exit=${code}.`);
}

/** Removes output whose source is gone: tsc leaves it, and it would be packed. */
function removeOrphans(folder) {
  const dist = join(folder, "dist");
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const match = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(path.slice(dist.length));
    if (entry.isFile() && match && !existsSync(join(folder, "src", `${match[1]}.ts`))) rmSync(path);
  }
}

if (isMain(import.meta.url)) await setupOrExit();
