/** Makes of an error what a person needs: whose fault it is, the smallest program, and how to see it again. */

import type { AdapterHarness } from "./adapter-harness.js";
import { Blame, type Culprit, errorText } from "./blame.js";
import { CaseFailure } from "./check-cases.js";
import type { Law, Program } from "./law.js";
import type { Profile } from "./profile.js";
import type { Failure } from "./report.js";
import type { Outcome } from "./run-law.js";

/** How the run was called. */
export interface Invocation {
  readonly harness: AdapterHarness;
  readonly profile: Profile;
  readonly seed: number;
  /** The module of the harness, as a command and an import name it. */
  readonly module: string;
  /** What the module exports the harness as. */
  readonly exportName: string;
}

export function failureOf(law: Law, { error, path, trace }: Outcome, invocation: Invocation): Failure {
  const program = error instanceof CaseFailure ? error.program : undefined;
  const { seed } = invocation;
  const cause = error instanceof CaseFailure ? error.cause : error;
  return {
    culprit: culpritOf(law, error),
    message: cause instanceof Error ? messageOf(cause) : errorText(cause),
    seed,
    ...(path === undefined ? {} : { path }),
    program: program?.lines ?? trace,
    shrinks: error instanceof CaseFailure ? error.shrinks : 0,
    command: commandOf(law, path, invocation),
    script: program?.code === undefined ? verifyScript(law, path, invocation) : callScript(program.code, invocation),
    ...(cause instanceof Error && cause.stack !== undefined ? { stack: cause.stack } : {}),
  };
}

function culpritOf(law: Law, error: unknown): Culprit {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if (at instanceof Blame) return at.culprit;
  }
  return law.judgesHarness === true ? "harness" : "adapter";
}

/** The kinds of error that a law throws have names that say nothing. */
function messageOf(error: Error): string {
  return error.name === "Error" || error instanceof Blame ? error.message : errorText(error);
}

function commandOf({ id }: Law, path: string | undefined, { module, profile, seed }: Invocation): string {
  const replay = path === undefined ? "" : ` --path ${path}`;
  return `npx tidemark-conformance verify ${module} --profile ${profile} --only ${id} --seed ${seed}${replay}`;
}

function verifyScript({ id }: Law, path: string | undefined, invocation: Invocation): string {
  const { module, exportName, profile, seed } = invocation;
  const replay = path === undefined ? "" : `, path: ${JSON.stringify(path)}`;
  return [
    'import { verify } from "@tidemark/conformance";',
    `import { ${importName(exportName)} } from ${importPath(module)};`,
    "",
    `const report = await verify(harness, { profile: "${profile}", only: ["${id}"], seed: ${seed}${replay} });`,
    "console.log(report.summary, report.laws.find(({ failure }) => failure)?.failure);",
  ].join("\n");
}

/** The program without the kit: what a debugger steps through. */
function callScript(code: NonNullable<Program["code"]>, { module, exportName }: Invocation): string {
  const needsOther = code.some((line) => /\bother\b/.test(line));
  return [
    `import { ${importName(exportName)} } from ${importPath(module)};`,
    "",
    "const place = await harness.create();",
    "let storage = await harness.reopen(place);",
    ...(needsOther ? ["let other = await harness.reopen(place);"] : []),
    ...code,
    "await storage.close();",
    "storage = await harness.reopen(place);",
    'for await (const object of storage.list("")) console.log(object);',
  ].join("\n");
}

/** A path without a dot would be taken for the name of a package. */
function importPath(module: string): string {
  return JSON.stringify(/^[./]/.test(module) ? module : `./${module}`);
}

function importName(exportName: string): string {
  return exportName === "harness" ? "harness" : `${exportName} as harness`;
}
