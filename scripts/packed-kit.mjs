/**
 * The conformance kit as a stranger gets it: from its tarball, in an empty folder, with an adapter from elsewhere.
 *
 * `node scripts/packed-kit.mjs --node 20,22,24` also runs it on other versions of Node, which npm fetches.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { packPublic } from "./pack-public.mjs";
import { capture, isMain, root } from "./processes.mjs";
import { readManifest, setupOrExit } from "./setup.mjs";

const shell = process.platform === "win32";

/**
 * Resolves with `{ code, output }`. `tarballs` are those of the public packages; `only` are the laws that are checked; `nodes` are
 * paths of Node.
 */
export async function checkPackedKit(tarballs, { only, nodes = [process.execPath] }) {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-kit-"));
  try {
    const installed = await installInto(folder, tarballs);
    if (installed.code !== 0) return installed;
    writeAdapter(folder);
    const results = [];
    for (const node of nodes) results.push(...(await runAll(folder, node, only)));
    const failures = results.filter(({ isRight }) => !isRight);
    return { code: failures.length === 0 ? 0 : 1, output: failures.map(({ text }) => text).join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the kit depends on comes from this workspace, so that nothing is fetched. */
async function installInto(folder, tarballs) {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const local = join(folder, "local");
  mkdirSync(local);
  const fastCheck = packageFolder("fast-check", join(root, "conformance"));
  const pureRand = packageFolder("pure-rand", fastCheck);
  const dependencies = [fastCheck, pureRand].map((path) => {
    const copy = join(local, basename(path));
    cpSync(path, copy, { recursive: true });
    // Of a folder npm would install what only its development needs.
    const manifest = { ...readManifest(path), devDependencies: undefined, scripts: undefined };
    writeFileSync(join(copy, "package.json"), JSON.stringify(manifest));
    return copy;
  });
  const wanted = tarballs.filter((path) => /tidemark-(core|conformance)-/.test(path));
  const args = ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", ...wanted, ...dependencies];
  return capture("npm", args, { cwd: folder, shell });
}

/** Where Node finds a package from a folder; not by `require.resolve`, which asks for what the package exports. */
function packageFolder(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return realpathSync(found);
    if (folder === dirname(folder)) throw new Error(`Package not found. name=${name} from=${from}.`);
  }
}

/** The adapter of the example, a broken copy of it, and a test of `node --test`. */
function writeAdapter(folder) {
  const dist = join(root, "examples", "custom-store", "dist");
  const skipMaps = { recursive: true, filter: (path) => !path.endsWith(".map") };
  cpSync(dist, join(folder, "adapter"), skipMaps);
  cpSync(dist, join(folder, "broken"), skipMaps);
  const path = join(folder, "broken", "folder-storage.js");
  writeFileSync(path, readFileSync(path, "utf8").replace("stored.equals(bytes)", "true"));
  writeFileSync(
    join(folder, "kit.test.mjs"),
    'import { conformance } from "@tidemark/conformance/node-test";\nimport { harness } from "./adapter/harness.js";\nconformance(harness, { only: ["CS1"] });\n',
  );
}

async function runAll(folder, node, only) {
  const kit = join(folder, "node_modules", "@tidemark", "conformance");
  const { bin } = readManifest(kit);
  const command = join(kit, bin["tidemark-conformance"]);
  const runs = [
    { args: [command, "verify", "./adapter/harness.js", "--report", "report", ...only], code: 0, says: "laws passed" },
    { args: [command, "verify", "./broken/harness.js", "--only", "any-calls"], code: 1, says: "Smallest program" },
    { args: [command, "verify", "./none.js"], code: 2, says: "There is no such module" },
    { command: "npx", args: ["--no-install", "tidemark-conformance", "laws"], code: 0, says: "any-history" },
    { args: ["--test", "kit.test.mjs"], code: 0, says: "bad-names" },
  ];
  const results = [];
  for (const { command: program = node, args, code, says } of runs) {
    const result = await capture(program, args, { cwd: folder, shell });
    const isRight = result.code === code && result.output.includes(says);
    const text = `${program} ${args.join(" ")}\nexit=${result.code} expected=${code} and "${says}"\n${result.output}`;
    results.push({ isRight, text });
  }
  return results;
}

/** Paths of Node in these major versions, fetched into `folder`. */
async function fetchNodes(folder, versions) {
  const nodes = [];
  for (const version of versions) {
    const place = join(folder, `node-${version}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "package.json"), JSON.stringify({ private: true }));
    const { code, output } = await capture("npm", ["install", "--no-audit", "--no-fund", `node@${version}`], {
      cwd: place,
      shell,
    });
    if (code !== 0) throw new Error(`Node cannot be fetched. version=${version}.\n${output}`);
    nodes.push(join(place, "node_modules", "node", "bin", "node"));
  }
  return nodes;
}

async function main() {
  await setupOrExit();
  const at = process.argv.indexOf("--node");
  const versions = at === -1 ? [] : (process.argv[at + 1] ?? "").split(",");
  const folder = mkdtempSync(join(tmpdir(), "tidemark-packed-"));
  try {
    const packed = await packPublic(folder);
    if (packed.code !== 0) return packed;
    const tarballs = readdirSync(folder).map((name) => join(folder, name));
    const nodes = versions.length === 0 ? [process.execPath] : await fetchNodes(folder, versions);
    const result = await checkPackedKit(tarballs, { only: [], nodes });
    const shown = versions.length === 0 ? process.versions.node : versions.join(", ");
    return result.code === 0 ? { code: 0, output: `The packed kit works on Node ${shown}.\n` } : result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const { code, output } = await main();
  process.stdout.write(output);
  process.exitCode = code;
}
