/**
 * The command line: `verify`, `laws`, `mutants`, `soak`.
 *
 * Invariants:
 * - Results go to standard output, progress and mistakes to standard error.
 * - The exit code is 0 if the adapter conforms, 1 if it does not or cannot be judged, 2 if the command was wrong.
 */

import { ALL_LAWS } from "../laws/all-laws.js";
import { writeReport } from "../report/write-report.js";
import { verify } from "../runner/verify.js";
import { parseArguments, USAGE, UsageError, type VerifyArguments } from "./arguments.js";
import { loadExpectedFailures, loadHarness } from "./load-harness.js";
import { runMutants } from "./mutants.js";
import { runSoak } from "./soak.js";
import { exitCodeOf, progressLine, reportText } from "./report-text.js";

/** Where the command prints. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
}

/** Resolves to the exit code. Never rejects for what a user did. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const parsed = parseArguments(args);
    switch (parsed.command) {
      case "help":
        terminal.out(USAGE);
        return 0;
      case "laws":
        terminal.out(lawList(parsed.json));
        return 0;
      case "mutants":
        return await runMutants(parsed, terminal);
      case "soak":
        return await runSoak(parsed, terminal);
      case "verify":
        return await runVerify(parsed, terminal);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(`${error.message}\n`);
    return 2;
  }
}

async function runVerify(given: VerifyArguments, { out, err }: Terminal): Promise<number> {
  const { harness, exportName } = await loadHarness(given.module, given.exportName);
  const expectedFailures = await loadExpectedFailures(given.expect);
  const { profile, seed, path, only, deadlineMs, module } = given;
  const defined = Object.fromEntries(
    Object.entries({ profile, seed, path, only, deadlineMs, expectedFailures }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const onLaw = given.json ? {} : { onLaw: (law: Parameters<typeof progressLine>[0]) => err(progressLine(law)) };
  const report = await verify(harness, { ...defined, ...onLaw, module, exportName }).catch((error: unknown) => {
    // Names of laws are the only options that `verify` refuses.
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  });
  out(given.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
  if (given.report !== undefined) {
    for (const written of await writeReport(report, given.report)) err(`wrote ${written}\n`);
  }
  return exitCodeOf(report);
}

function lawList(isJson: boolean): string {
  const laws = ALL_LAWS.map(({ id, contract, level, clauses, title, claims = [], hooks = [] }) => {
    return { id, contract, level, clauses, title, needs: [...claims, ...hooks] };
  });
  if (isJson) return `${JSON.stringify(laws, undefined, 2)}\n`;
  const width = Math.max(...laws.map(({ id }) => id.length));
  const levelWidth = Math.max(...laws.map(({ level }) => level.length));
  return laws.map(({ id, level, title }) => `${id.padEnd(width)}  ${level.padEnd(levelWidth)}  ${title}\n`).join("");
}
