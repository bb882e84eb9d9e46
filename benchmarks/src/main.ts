/**
 * Measures what the documents state: runs suites, prints a table, writes the rows.
 * @see ../README.md
 */

import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Arguments, parseArguments, usage, UsageError } from "./arguments.js";
import { table } from "./harness/report.js";
import type { Row } from "./harness/rows.js";
import { runSuite, type SuiteRun } from "./harness/run-suite.js";
import type { Scale } from "./harness/suite.js";
import { suites } from "./suites/suites.js";

const FULL: Scale = { isQuick: false, repetitions: 5 };
const QUICK: Scale = { isQuick: true, repetitions: 2 };
const QUICK_NOTICE = "Quick run: sizes and runs are cut down. It shows that everything works and proves no bar.";

process.exitCode = await main(process.argv.slice(2));

/** Resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const suiteNames = suites.map(({ name }) => name);
  try {
    const options = parseArguments(argv, suiteNames);
    if (!options.wantsHelp) return await bench(options);
    console.log(usage(suiteNames));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    return 2;
  }
}

async function bench(options: Arguments): Promise<number> {
  const rows = await runAll(options);
  if (options.isQuick) console.log(QUICK_NOTICE);
  console.log(table(rows));
  for (const { suite, backend, error } of rows) if (error !== undefined) console.error(`${suite} ${backend}: ${error}`);
  const judged = rows.filter(({ ok }) => ok !== null);
  const met = judged.filter(({ ok }) => ok === true).length;
  console.log(`bars met: ${met}/${judged.length}`);
  return options.isStrict && met < judged.length ? 1 : 0;
}

/** Rows are written after every suite, so that a long run that is interrupted leaves what it has. */
async function runAll(options: Arguments): Promise<Row[]> {
  const { isQuick, json } = options;
  const scale = isQuick ? QUICK : FULL;
  const chosen = chosenRuns(options);
  const work = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
  process.once("exit", () => rmSync(work, { recursive: true, force: true }));
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  const rows: Row[] = [];
  await writeRows(json, rows);
  for (const { suite, backend } of chosen) {
    const directory = join(work, `${suite.name}-${backend}`);
    const onTrial = (at: number, count: number): void => console.error(`${suite.name} ${backend} ${at}/${count}`);
    rows.push(...(await runSuite({ suite, backend, scale, directory, onTrial })));
    await writeRows(json, rows);
  }
  return rows;
}

/** Every suite with every backend that it is for, as far as they were asked for. */
function chosenRuns({ suites: names, backends, isQuick }: Arguments): Pick<SuiteRun, "suite" | "backend">[] {
  const runs = suites
    .filter(({ name, isSkippedByQuick }) => names.includes(name) && !(isQuick && isSkippedByQuick === true))
    .flatMap((suite) =>
      suite.backends.filter((name) => backends.includes(name)).map((backend) => ({ suite, backend })),
    );
  if (runs.length > 0) return runs;
  const possible = suites.map((suite) => `${suite.name} on ${suite.backends.join(" and ")}`).join(", ");
  throw new UsageError(
    `Nothing to run. possible=${possible}${isQuick ? ", large and lsm-large not with --quick" : ""}.`,
  );
}

async function writeRows(path: string | undefined, rows: readonly Row[]): Promise<void> {
  if (path === undefined) return;
  try {
    await writeFile(path, `${JSON.stringify(rows, undefined, 2)}\n`);
  } catch (error) {
    throw new UsageError(`Cannot write the rows. ${error instanceof Error ? error.message : String(error)}`);
  }
}
