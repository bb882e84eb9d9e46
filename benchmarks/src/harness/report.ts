/** Rows as a table for people. */

import type { Row } from "./rows.js";

const HEADINGS = ["suite", "backend", "metric", "min", "median", "max", "unit", "runs", "floor", "ratio", "bar", ""];
/** Columns whose text begins at the left. */
const TEXT_COLUMNS: ReadonlySet<string> = new Set(["suite", "backend", "metric", "unit", "bar", ""]);

export function table(rows: readonly Row[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => padded(cell, column, widths))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines.join("\n");
}

function cellsOf(row: Row): string[] {
  const { suite, backend, metric, min, median, max, unit, runs, floor, ratio, rule, ok } = row;
  const numbers = [min, median, max].map(shown);
  return [
    suite,
    backend,
    metric,
    ...numbers,
    unit,
    String(runs),
    shown(floor),
    ratio === null ? "" : ratio.toFixed(3),
    rule ?? "",
    ok === null ? "" : ok ? "ok" : "MISSED",
  ];
}

function padded(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return TEXT_COLUMNS.has(HEADINGS[column] ?? "") ? cell.padEnd(width) : cell.padStart(width);
}

function shown(value: number | null): string {
  if (value === null) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
