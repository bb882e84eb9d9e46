/** A failure as a person reads it in a terminal or in the output of a test framework. */

import type { Failure, LawResult } from "../runner/report.js";

const WHOSE: Readonly<Record<Failure["culprit"], string>> = {
  adapter: "the adapter",
  harness: "the harness",
  installation: "the installation",
  kit: "the kit",
};

/** Of what was called, the last is what matters; the reports have more. */
const LINES_MAX = 20;

/** What failed, whose fault it is, the program, and how to see it again. */
export function failureText({ id, clauses }: LawResult, failure: Failure): string {
  const { culprit, message, program, shrinks, command, script } = failure;
  const smaller = shrinks > 0 ? ` (made smaller ${shrinks} times)` : "";
  const kind = failure.path === undefined ? "What was called" : `Smallest program that fails${smaller}`;
  return [
    `${id} (${clauses.join(" ") || "harness"}), to be mended by ${WHOSE[culprit]}:`,
    indented(message),
    ...(program.length === 0 ? [] : [`${kind}:`, indented(program.slice(-LINES_MAX).join("\n"))]),
    "Again:",
    indented(command),
    "Or paste:",
    indented(script),
  ].join("\n");
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
