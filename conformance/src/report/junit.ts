/** The report as JUnit XML: what CI systems show. */

import { failureText } from "./failure-text.js";
import type { LawResult, Report } from "../runner/report.js";

export function junitOf({ adapter, laws, problems, seconds, startedAt }: Report): string {
  const failures = laws.filter(isFailed).length;
  const skipped = laws.filter(isSkipped).length;
  const counts = `tests="${laws.length}" failures="${failures}" errors="${problems.length}" skipped="${skipped}"`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="tidemark conformance" ${counts} time="${seconds}">`,
    `  <testsuite name="${escaped(adapter)}" ${counts} time="${seconds}" timestamp="${startedAt.slice(0, 19)}">`,
    ...laws.map(caseOf),
    ...problems.map(({ culprit, message }) => `    <system-err>${escaped(`${culprit}: ${message}`)}</system-err>`),
    "  </testsuite>",
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

const isFailed = ({ status }: LawResult): boolean => status === "failed" || status === "stale";
const isSkipped = ({ status }: LawResult): boolean => !["passed", "failed", "stale"].includes(status);

function caseOf(law: LawResult): string {
  const { id, level, clauses, title, seconds, reason, failure } = law;
  const name = escaped(`${[...clauses, id].join(" ")}: ${title}`);
  const head = `    <testcase classname="tidemark.${level}" name="${name}" time="${seconds}"`;
  if (isSkipped(law)) return `${head}><skipped message="${escaped(`${law.status}: ${reason ?? ""}`)}"/></testcase>`;
  if (!isFailed(law)) return `${head}/>`;
  const text = failure === undefined ? (reason ?? "") : failureText(law, failure);
  const message = escaped(failure?.message ?? reason ?? "");
  return `${head}><failure type="${law.status}" message="${message}">${escaped(text)}</failure></testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What XML cannot hold at all is shown as a replacement character. */
function escaped(text: string): string {
  const printable = [...text].map((character) => (isAllowed(character) ? character : "\uFFFD")).join("");
  return printable.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

function isAllowed(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}
