/** A report for a terminal. */

import { failureText } from "../report/failure-text.js";
import type { LawResult, Report } from "../runner/report.js";

/** One line as a law ends. */
export function progressLine({ id, status, seconds, reason }: LawResult): string {
  const idle = status === "not run" || status === "not claimed";
  const time = idle ? "" : `  ${seconds.toFixed(1)} s`;
  return `${status.padEnd(11)}  ${id}${time}${reason === undefined ? "" : `  (${reason})`}\n`;
}

/** The failures, the levels, and the verdict as the last line. */
export function reportText({ laws, levels, problems, summary }: Report): string {
  const failures = laws.flatMap((law) => (law.failure === undefined ? [] : [failureText(law, law.failure)]));
  const stale = laws.flatMap(({ id, status, reason }) => (status === "stale" ? [`${id}: ${reason}`] : []));
  const blames = problems.map(({ culprit, message }) => `To be mended by the ${culprit}: ${message}`);
  const width = Math.max(0, ...levels.map(({ level }) => level.length));
  const lines = levels.map(
    ({ level, status, passed, total }) => `${level.padEnd(width)}  ${status} (${passed} of ${total})`,
  );
  const blocks = [...blames, ...failures, ...stale, lines.join("\n"), summary];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** Part of a run that went well is a success of that part. */
export function exitCodeOf({ verdict, laws, problems }: Report): number {
  if (verdict === "conformant") return 0;
  if (verdict === "not conformant" || problems.length > 0) return 1;
  const isAskedPart = laws.some(({ reason }) => reason === "not asked for");
  return isAskedPart && laws.some(({ status }) => status === "passed" || status === "expected") ? 0 : 1;
}
