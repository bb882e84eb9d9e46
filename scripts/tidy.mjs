/** Checks every source file of the repository against its own rules: `npm run tidy`. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./processes.mjs";
import { workspaceFolders } from "./setup.mjs";
import { violationsOf } from "./tidy-rules.mjs";

/** `{ code, output }`; the output has one line per violation. */
export function checkTidy() {
  const lines = sourcePaths()
    .flatMap((path) => violationsOf(path, readFileSync(join(root, path), "utf8")))
    .map(({ path, line, rule, message }) => `${path}:${line}  ${rule}  ${message}`);
  return { code: lines.length === 0 ? 0 : 1, output: lines.map((line) => `${line}\n`).join("") };
}

function sourcePaths() {
  const folders = workspaceFolders().flatMap((folder) => [`${folder}/src`, `${folder}/test`]);
  return [...folders, "scripts"].flatMap(filesUnder).sort();
}

function filesUnder(folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "fixtures" ? [] : filesUnder(path);
    return /\.(ts|mjs|js)$/.test(entry.name) ? [path] : [];
  });
}

if (isMain(import.meta.url)) {
  const { code, output } = checkTidy();
  process.stdout.write(output);
  process.exitCode = code;
}
