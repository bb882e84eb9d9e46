/** The command line. */

import { parseArgs } from "node:util";
import { type BackendName, backendNames } from "./harness/backends.js";

export interface Arguments {
  /** Where the rows go as JSON. */
  readonly json: string | undefined;
  readonly suites: readonly string[];
  readonly backends: readonly BackendName[];
  readonly isQuick: boolean;
  readonly isStrict: boolean;
  readonly wantsHelp: boolean;
}

/** A command line that cannot be followed. */
export class UsageError extends Error {}

/** @throws {UsageError} for anything unknown */
export function parseArguments(argv: readonly string[], suiteNames: readonly string[]): Arguments {
  const { only, backend, json, quick, strict, help } = optionsIn(argv);
  return {
    json,
    suites: chosen("suite", only, suiteNames),
    backends: chosen("backend", backend, backendNames),
    isQuick: quick,
    isStrict: strict,
    wantsHelp: help,
  };
}

export function usage(suiteNames: readonly string[]): string {
  return [
    "npm run bench -- [--json FILE] [--only SUITE,…] [--backend BACKEND,…] [--quick] [--strict]",
    "",
    "  --json FILE         writes the rows to FILE",
    `  --only SUITE,…      ${suiteNames.join(", ")}; all if not given`,
    `  --backend BACKEND,… ${backendNames.join(", ")}; all if not given`,
    "  --quick             small sizes and few runs: shows that everything works, proves no bar",
    "  --strict            exit 1 if a bar is missed",
  ].join("\n");
}

function optionsIn(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: "string", multiple: true },
        backend: { type: "string", multiple: true },
        json: { type: "string" },
        quick: { type: "boolean", default: false },
        strict: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What was asked for, in the order of what is known; all of it if nothing was. */
function chosen<Name extends string>(
  kind: string,
  asked: readonly string[] | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (asked === undefined) return known;
  const names = asked.flatMap((list) => list.split(",")).filter((name) => name !== "");
  const unknown = names.filter((name) => !known.some((candidate) => candidate === name));
  if (unknown.length > 0 || names.length === 0) {
    throw new UsageError(`Unknown ${kind}. received=${unknown.join(",")} known=${known.join(",")}.`);
  }
  return known.filter((name) => names.includes(name));
}
