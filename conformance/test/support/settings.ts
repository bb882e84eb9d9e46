/**
 * How long the properties run. TIDEMARK_RUNS multiplies the number of cases, TIDEMARK_SEED sets the seed, TIDEMARK_PATH replays one
 * case of a failure, TIDEMARK_COVERAGE=1 prints what was covered.
 */

import type { RunSettings } from "../../src/check-property.js";
import type { Coverage } from "../../src/commands/coverage.js";

const factor = Number(process.env["TIDEMARK_RUNS"] ?? 1);
const seed = Number(process.env["TIDEMARK_SEED"] ?? 20_260_801);
const path = process.env["TIDEMARK_PATH"];

/** So long may one property take, milliseconds. */
export const PROPERTY_TIMEOUT_MS = 60_000 * Math.max(1, factor);

/** Settings of a property that runs `runs` cases by default. */
export function settings(runs: number): RunSettings {
  return { runs: Math.max(1, Math.round(runs * factor)), seed, ...(path === undefined ? {} : { path }) };
}

export function report(name: string, coverage: Coverage): void {
  if (process.env["TIDEMARK_COVERAGE"] === "1") process.stdout.write(`${name}\n${coverage.report}\n`);
}
