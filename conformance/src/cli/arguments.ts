/** What was typed behind `tidemark-conformance`. */

import { parseArgs } from "node:util";
import { type Profile, PROFILES } from "../runner/profile.js";

/** The command was wrong; the message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Tests an adapter of Tidemark by the laws of its contract.

  tidemark-conformance verify ./adapter.js [options]
  tidemark-conformance laws [--json]
  tidemark-conformance mutants [--json]
  tidemark-conformance soak [--commands N] [--minutes N] [--seed N]

verify takes a module that exports a harness, as \`harness\` or as its only export.

  --profile quick|full|soak   how thorough: some seconds, some minutes, a night (quick)
  --only LAW,...              ids of laws, clauses as CS3, or levels
  --seed N --path P           replays one case, as a failure prints them; with --only
  --expect FILE               JSON of laws that are known to fail: { "law": "reason" }; fails when stale
  --report DIR                writes report.json, junit.xml, report.html, summary.md, badge.json
  --json                      prints the report as JSON
  --deadline MS               how long one call may take (10000)
  --export NAME               which export is the harness

soak runs histories on the backend in memory, until so many commands (10000000) or minutes (480) are over; nothing may fail.

Exit code: 0 conformant, 1 not conformant or not judged, 2 wrong usage.
`;

/** Arguments of `verify`. */
export interface VerifyArguments {
  readonly command: "verify";
  readonly module: string;
  readonly json: boolean;
  readonly profile?: Profile | undefined;
  readonly seed?: number | undefined;
  readonly path?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly expect?: string | undefined;
  readonly report?: string | undefined;
  readonly deadlineMs?: number | undefined;
  readonly exportName?: string | undefined;
}

/** Arguments of `soak`. */
export interface SoakArguments {
  readonly command: "soak";
  readonly commands: number;
  readonly minutes: number;
  readonly seed: number;
}

export type Arguments =
  | VerifyArguments
  | SoakArguments
  | { readonly command: "help" }
  | { readonly command: "laws" | "mutants"; readonly json: boolean };

const OPTIONS = {
  profile: { type: "string" },
  only: { type: "string" },
  seed: { type: "string" },
  path: { type: "string" },
  expect: { type: "string" },
  report: { type: "string" },
  deadline: { type: "string" },
  export: { type: "string" },
  commands: { type: "string" },
  minutes: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

const SOAK = { commands: 10_000_000, minutes: 480, seed: 1 } as const;

/** @throws {UsageError} */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parsed(args);
  const [command, ...rest] = positionals;
  if (values.help || command === "help") return { command: "help" };
  switch (command) {
    case "laws":
    case "mutants":
      if (rest.length > 0) throw new UsageError(`${command} takes no module. found=${rest.join(" ")}.`);
      return { command, json: values.json };
    case "soak":
      if (rest.length > 0) throw new UsageError(`soak takes no module. found=${rest.join(" ")}.`);
      return {
        command,
        commands: integer("commands", values.commands) ?? SOAK.commands,
        minutes: integer("minutes", values.minutes) ?? SOAK.minutes,
        seed: integer("seed", values.seed) ?? SOAK.seed,
      };
    case "verify":
      return verifyArguments(values, rest);
    default:
      throw new UsageError(`No such command. found=${command ?? "nothing"}.\n\n${USAGE}`);
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${error.message}\n\n${USAGE}`);
    throw error;
  }
}

function verifyArguments(values: ReturnType<typeof parsed>["values"], modules: readonly string[]): VerifyArguments {
  const [module, ...others] = modules;
  if (module === undefined || others.length > 0) {
    throw new UsageError(`verify takes one module. found=${modules.length}. Example: verify ./adapter.js`);
  }
  const only = values.only?.split(",").filter((name) => name !== "");
  if (values.path !== undefined && only?.length !== 1) {
    throw new UsageError("--path replays a case of one law. Name it with --only, as the failure does.");
  }
  return {
    command: "verify",
    module,
    json: values.json,
    profile: profileOf(values.profile),
    seed: integer("seed", values.seed),
    path: values.path,
    only,
    expect: values.expect,
    report: values.report,
    deadlineMs: integer("deadline", values.deadline),
    exportName: values.export,
  };
}

function profileOf(text: string | undefined): Profile | undefined {
  if (text === undefined) return undefined;
  const profile = PROFILES.find((name) => name === text);
  if (profile !== undefined) return profile;
  throw new UsageError(`No such profile. found=${text} expected=${PROFILES.join("|")}.`);
}

function integer(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} takes an integer. found=${text}.`);
}
