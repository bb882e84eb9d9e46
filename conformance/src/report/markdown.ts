/** The report as Markdown: for the summary of a CI job or a comment. */

import type { Failure, LawResult, LevelStatus, Report } from "../runner/report.js";

const MARKS: Readonly<Record<LevelStatus, string>> = {
  passed: "✅ passed",
  failed: "❌ failed",
  incomplete: "◐ incomplete",
  "not claimed": "– not claimed",
  "not run": "– not run",
};

export function markdownOf(report: Report): string {
  const { adapter, summary, levels, laws, problems, capabilities, kit, node, profile, seed, seconds } = report;
  const failed = laws.filter(({ failure }) => failure !== undefined);
  const parts = [
    `## ${cell(adapter)}: ${report.verdict}`,
    summary,
    ...problems.map(({ culprit, message }) => `**To be mended by the ${culprit}:** ${message}`),
    table(
      ["level", "", "laws", "not run"],
      levels.map(({ level, status, passed, total, notes }) => [
        level,
        MARKS[status],
        `${passed}/${total}`,
        notes.join("; "),
      ]),
    ),
    table(
      ["capability", "claimed", "observed"],
      capabilities.map(({ name, claimed, observed }) => [name, claimed, observed]),
    ),
    ...failed.map(failureSection),
    `<sub>${kit}, Node ${node}, profile ${profile}, seed ${seed}, ${seconds.toFixed(1)} s</sub>`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function failureSection(law: LawResult): string {
  const { message, program, command, script } = law.failure as Failure;
  return [
    `### ${law.status === "expected" ? "Expected to fail" : "Failed"}: ${law.id}`,
    `${law.title} (${law.clauses.join(", ") || "harness"}).`,
    fenced(message),
    ...(program.length === 0 ? [] : ["Program:", fenced(program.join("\n"))]),
    "Again:",
    fenced(command, "sh"),
    fenced(script, "js"),
  ].join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");

/** A fence longer than any in the text. */
function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
