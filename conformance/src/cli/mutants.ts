/** Runs the laws on everything that the kit has broken, and prints which of them caught what, and how fast. */

import { allMutants } from "../mutants/all-mutants.js";
import { killMutant, type MutantResult } from "../mutants/kill-mutant.js";
import type { Terminal } from "./run-command.js";

/** So long may the search for a smaller program take, milliseconds: there are many mutants. */
const SHRINK_MS = 2000;

/** Of a program so many characters are shown, and of a mutant. */
const SHOWN_MAX = 60;

/** Resolves to the exit code: 0 if all were caught. The last line is `mutants killed: K/N`. */
export async function runMutants({ json }: { readonly json: boolean }, { out, err }: Terminal): Promise<number> {
  const results: MutantResult[] = [];
  for (const mutant of allMutants()) {
    const result = await killMutant(mutant, { shrinkMs: SHRINK_MS });
    results.push(result);
    if (!json) err(result.isKilled ? "." : "!");
  }
  if (!json) err("\n");
  const killed = results.filter(({ isKilled }) => isKilled).length;
  out(
    json
      ? `${JSON.stringify(results, undefined, 2)}\n`
      : `${tableOf(results)}${medianText(results)}mutants killed: ${killed}/${results.length}\n`,
  );
  return killed === results.length ? 0 : 1;
}

/** Of the laws that run programs: the others have nothing to make smaller. */
function medianText(results: readonly MutantResult[]): string {
  const lengths = results.map(({ program }) => program.length).filter((length) => length > 0);
  if (lengths.length === 0) return "";
  const median = lengths.sort((a, b) => a - b)[lengths.length >> 1] ?? 0;
  return `smallest programs: ${lengths.length}, median ${median} lines, longest ${lengths.at(-1)}\n`;
}

const HEAD = ["mutant", "law", "", "to kill", "seconds", "smallest program"];
/** Numbers: to the right. */
const NUMBERS = [3, 4];

function tableOf(results: readonly MutantResult[]): string {
  const rows = results.map((result) => [
    short(result.mutant),
    result.law,
    result.isKilled ? "killed" : "ALIVE",
    // Laws of single calls have cases and no commands.
    result.commands > 0 ? `${result.commands} commands` : `${result.cases} cases`,
    result.seconds.toFixed(2),
    short(result.program.join("; ")),
  ]);
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number): string =>
    NUMBERS.includes(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return all.map((row) => `${row.map(cell).join("  ").trimEnd()}\n`).join("");
}

/** Nothing in a line may end it. */
function short(text: string): string {
  const line = text.replace(/[^\x20-\x7e]/g, "?");
  return line.length <= SHOWN_MAX ? line : `${line.slice(0, SHOWN_MAX - 3)}...`;
}
