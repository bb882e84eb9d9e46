/** The report as one page without scripts and without anything from elsewhere: it can be kept, mailed and read offline. */

import type { LawResult, LevelResult, Report } from "../runner/report.js";
import { coverageSection } from "./coverage-html.js";
import { escapeHtml as text } from "./escape-html.js";
import { STYLE } from "./html-style.js";

export function htmlOf(report: Report): string {
  const { adapter, verdict, laws } = report;
  const failed = laws.filter(({ failure }) => failure !== undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(adapter)}: ${verdict}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${headline(report)}
${report.levels.length === 0 ? "" : `<section><h2>Levels</h2><div class="levels">${report.levels.map(levelCard).join("")}</div></section>`}
${failed.length === 0 ? "" : `<section><h2>What fails</h2>${failed.map(failureCard).join("")}</section>`}
${capabilitySection(report)}
${lawSection(laws)}
${coverageSection(report)}
</main>
</body>
</html>
`;
}

function headline(report: Report): string {
  const { adapter, verdict, summary, problems, kit, node, profile, seed, seconds, startedAt, contract } = report;
  const facts = [
    ["contract", contract],
    ["profile", profile],
    ["seed", String(seed)],
    ["took", `${seconds.toFixed(1)} s`],
    ["on", `Node ${node}`],
    ["by", kit],
    ["at", startedAt.replace("T", " ").slice(0, 16)],
  ];
  const list = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${text(value ?? "")}</dd></div>`).join("");
  const blame = problems.map(
    ({ culprit, message }) => `<p class="problem"><b>To be mended by the ${culprit}.</b> ${text(message)}</p>`,
  );
  return `<header class="${verdict.replace(" ", "-")}">
<p class="verdict">${verdict}</p>
<h1>${text(adapter)}</h1>
<p class="summary">${text(summary)}</p>
${blame.join("")}
<dl>${list}</dl>
</header>`;
}

function levelCard({ level, status, passed, total, notes }: LevelResult): string {
  const share = total === 0 ? 0 : Math.round((100 * passed) / total);
  const why = notes.map((note) => `<li>${text(note)}</li>`).join("");
  return `<article class="level ${status.replace(" ", "-")}">
<h3>${level}</h3>
<p class="status">${status}</p>
<div class="bar" title="${passed} of ${total} laws"><i style="width:${share}%"></i></div>
<p class="count">${passed} of ${total} laws</p>
${why === "" ? "" : `<ul>${why}</ul>`}
</article>`;
}

function failureCard(law: LawResult): string {
  const { id, title, clauses, failure } = law;
  if (failure === undefined) return "";
  const { culprit, message, program, shrinks, command, script, stack } = failure;
  const steps = program.map((line) => `<li>${text(line)}</li>`).join("");
  const smaller = shrinks > 0 ? `, made smaller ${shrinks} times` : "";
  const kind = failure.path === undefined ? "What was called" : `The smallest program that fails${smaller}`;
  return `<article class="failure">
<h3>${text(id)} <small>${clauses.join(" ")}</small></h3>
<p class="title">${text(title)}.</p>
${messageHtml(message)}
<p class="culprit">${law.status === "expected" ? `Expected: ${text(law.reason ?? "")}` : `To be mended by the ${culprit}.`}</p>
${steps === "" ? "" : `<h4>${kind}</h4><ol class="program">${steps}</ol>`}
<h4>Again</h4><pre>${text(command)}</pre>
<details><summary>A script to paste</summary><pre>${text(script)}</pre></details>
${stack === undefined ? "" : `<details><summary>Where it was noticed</summary><pre>${text(stack)}</pre></details>`}
</article>`;
}

function capabilitySection({ capabilities }: Report): string {
  if (capabilities.length === 0) return "";
  const rows = capabilities.map(
    ({ name, claimed, observed }) =>
      `<tr><th scope="row">${text(name)}</th><td>${text(claimed)}</td><td>${text(observed)}</td></tr>`,
  );
  return `<section><h2>Claimed and observed</h2><table><thead><tr><th>capability</th><th>claimed</th><th>observed</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

function lawSection(laws: readonly LawResult[]): string {
  if (laws.length === 0) return "";
  const slowest = Math.max(0.001, ...laws.map(({ seconds }) => seconds));
  const rows = laws.map(({ id, level, title, clauses, status, reason, cases, seconds }) => {
    const width = Math.round((100 * seconds) / slowest);
    return `<tr class="${status.replace(" ", "-")}">
<td class="mark" title="${status}"></td>
<td><b>${text(id)}</b> <small>${clauses.join(" ")}</small><br>${text(title)}${reason === undefined ? "" : `<br><em>${status}: ${text(reason)}</em>`}</td>
<td>${level}</td><td class="number">${cases}</td>
<td class="number time"><i style="width:${width}%"></i><span>${seconds.toFixed(2)}</span></td></tr>`;
  });
  return `<section><h2>Laws</h2><table class="laws"><thead><tr><th></th><th>law</th><th>level</th><th class="number">cases</th><th class="number">seconds</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

/** The first line says it; what follows was drawn, in columns. */
function messageHtml(message: string): string {
  const [first = "", ...drawn] = message.split("\n");
  const drawing = drawn.length === 0 ? "" : `\n<pre>${text(drawn.join("\n"))}</pre>`;
  return `<p class="message">${text(first)}</p>${drawing}`;
}
