/** Loads the module of an author, and says in a sentence what is wrong with it. */

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AdapterHarness } from "../runner/adapter-harness.js";
import { Blame, errorText } from "../runner/blame.js";
import { requireHarness } from "../runner/require-harness.js";
import { UsageError } from "./arguments.js";

export interface LoadedHarness {
  readonly harness: AdapterHarness;
  readonly exportName: string;
}

/** @throws {UsageError} if the module has no harness that can be tested */
export async function loadHarness(module: string, exportName: string | undefined): Promise<LoadedHarness> {
  const path = resolve(module);
  if (!existsSync(path)) throw new UsageError(`There is no such module. path=${path}.`);
  requireOneCore(path);
  const exports = await importModule(path);
  const [name, value] = harnessOf(exports, exportName, module);
  try {
    requireHarness(value);
  } catch (error) {
    throw error instanceof Blame ? new UsageError(`${module}: ${error.message}`) : error;
  }
  return { harness: value, exportName: name };
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const isTypeScript = /\.[cm]?ts$/.test(path);
    const remedy = isTypeScript
      ? "Node loads TypeScript from version 22.18 on: compile it first, or use a newer Node."
      : "Mend the module, or what it imports.";
    throw new UsageError(
      `The module of the harness cannot be loaded. path=${path} error=${errorText(error)}. ${remedy}`,
    );
  }
}

function harnessOf(
  exports: Readonly<Record<string, unknown>>,
  exportName: string | undefined,
  module: string,
): readonly [string, unknown] {
  const names = Object.keys(exports);
  const found = names.length === 0 ? "nothing" : names.join(", ");
  if (exportName !== undefined) {
    if (names.includes(exportName)) return [exportName, exports[exportName]];
    throw new UsageError(`${module} has no such export. name=${exportName} found=${found}.`);
  }
  const name = names.includes("harness") ? "harness" : names.length === 1 ? names[0] : undefined;
  if (name !== undefined) return [name, exports[name]];
  throw new UsageError(
    `${module} exports no harness. found=${found}. Export it as 'harness', or name it with --export.`,
  );
}

/** Two copies of core are two sets of classes: what the adapter throws would not be what the kit expects. */
function requireOneCore(path: string): void {
  const [theirs, ours] = [coreFrom(path), coreFrom(import.meta.url)];
  if (theirs === undefined || ours === undefined || theirs.path === ours.path) return;
  throw new UsageError(
    `The harness imports its own copy of @tidemark/core. harness=${theirs.path} (${theirs.version}) kit=${ours.path} (${ours.version}). The installation has two: make @tidemark/core a peer dependency of the adapter, and install one version.`,
  );
}

function coreFrom(from: string): { readonly path: string; readonly version: string } | undefined {
  try {
    const path = realpathSync(createRequire(from).resolve("@tidemark/core/package.json"));
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version: string };
    return { path, version };
  } catch {
    // An adapter need not import core at all.
    return undefined;
  }
}

/** @throws {UsageError} if the file is no object of texts */
export async function loadExpectedFailures(
  file: string | undefined,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (file === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`The file of expected failures cannot be read. path=${file} error=${errorText(error)}.`);
  }
  const isRecord = typeof content === "object" && content !== null && !Array.isArray(content);
  if (isRecord && Object.values(content as object).every((reason) => typeof reason === "string")) {
    return content as Readonly<Record<string, string>>;
  }
  throw new UsageError(`The file of expected failures has a wrong form. path=${file} expected={ "law": "reason" }.`);
}
