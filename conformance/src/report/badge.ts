/** The verdict as a badge: the form that shields.io reads from an address. */

import type { Report, Verdict } from "../runner/report.js";

const COLORS: Readonly<Record<Verdict, string>> = {
  conformant: "brightgreen",
  "not conformant": "red",
  incomplete: "lightgrey",
};

export function badgeOf({ verdict, laws }: Report): string {
  const passed = laws.filter(({ status }) => status === "passed").length;
  const message = verdict === "conformant" ? `${passed}/${laws.length} laws` : verdict;
  const badge = { schemaVersion: 1, label: "tidemark", message, color: COLORS[verdict] };
  return `${JSON.stringify(badge, undefined, 2)}\n`;
}
