/** What the generated programs did: how often each command ran, and which followed which. */

import type { Report } from "../runner/report.js";
import { escapeHtml as text } from "./escape-html.js";

/** So many commands have a row and a column of their own; the others are rare. */
const MATRIX_MAX = 26;

export function coverageSection({ commands, transitions }: Report): string {
  const counted = Object.entries(commands).sort(([, a], [, b]) => b - a);
  if (counted.length === 0) return "";
  const most = counted[0]?.[1] ?? 1;
  const bars = counted.map(([name, count]) => {
    const width = Math.max(1, Math.round((100 * Math.log1p(count)) / Math.log1p(most)));
    return `<tr><th scope="row">${text(name)}</th><td class="number time"><i style="width:${width}%"></i><span>${count}</span></td></tr>`;
  });
  const pairs = Object.keys(transitions).length;
  return `<section><h2>Coverage</h2>
<p>${counted.length} kinds of commands ran, ${pairs} of ${counted.length ** 2} pairs one after the other. A white cell is a blind spot of this run.</p>
<div class="coverage"><table class="commands"><tbody>${bars.join("")}</tbody></table>
${matrix(
  counted.slice(0, MATRIX_MAX).map(([name]) => name),
  transitions,
)}</div></section>`;
}

function matrix(names: readonly string[], transitions: Report["transitions"]): string {
  const most = Math.max(1, ...Object.values(transitions));
  const rows = names.map((from) => {
    const cells = names.map((to) => {
      const count = transitions[`${from} → ${to}`] ?? 0;
      const shade = count === 0 ? 0 : 0.12 + (0.88 * Math.log1p(count)) / Math.log1p(most);
      return `<td style="--shade:${shade.toFixed(2)}" title="${text(`${from} → ${to}: ${count}`)}"></td>`;
    });
    return `<tr><th scope="row">${text(from)}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="matrix"><caption>Each command (row), and how often another (column, in the same order) came next</caption><tbody>${rows.join("")}</tbody></table></div>`;
}
