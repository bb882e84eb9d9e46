/** The one entrance: tests an adapter, and reports. Knows nothing of test frameworks, files or terminals. */

import { systemClock } from "@tidemark/core";
import { Coverage } from "../commands/coverage.js";
import { ALL_LAWS } from "../laws/all-laws.js";
import type { AdapterHarness, Capabilities } from "./adapter-harness.js";
import { capabilityResults, judge, levelsOf } from "./judge.js";
import { KIT_VERSION } from "./kit-version.js";
import type { Law } from "./law.js";
import { LawRunner, problemOf, rounded } from "./law-runner.js";
import { type LawResult, type Problem, type Report, REPORT_SCHEMA } from "./report.js";
import { capabilitiesOf, requireHarness } from "./require-harness.js";
import { lawsFor, requireNames } from "./select-laws.js";
import { DEFAULTS, type VerifyOptions } from "./verify-options.js";

/**
 * Tests `harness` by every law that is meant for it. Resolves in any case that is not a mistake in `options`.
 * @throws {RangeError} if `options` names a law that does not exist
 */
export function verify(harness: AdapterHarness, options: VerifyOptions = {}): Promise<Report> {
  return verifyLaws(ALL_LAWS, harness, options);
}

/** As `verify`, by other laws than the kit's: for the tests of the kit itself. */
export async function verifyLaws(
  all: readonly Law[],
  harness: AdapterHarness,
  options: VerifyOptions = {},
): Promise<Report> {
  requireNames([...(options.only ?? []), ...Object.keys(options.expectedFailures ?? {})], all);
  const startMs = systemClock.monotonic();
  const startedAt = new Date(systemClock.now()).toISOString();
  const run = await runAll(all, harness, options);
  const { laws, problems, coverage, capabilities } = run;
  const levels = run.isHarness ? levelsOf(laws) : [];
  const isPart = options.only !== undefined || options.path !== undefined;
  return {
    schema: REPORT_SCHEMA,
    kit: KIT_VERSION,
    node: process.versions.node,
    adapter: run.isHarness ? harness.name : "(no harness)",
    contract: run.isHarness ? harness.contract : "storage",
    profile: options.profile ?? DEFAULTS.profile,
    seed: options.seed ?? DEFAULTS.seed,
    startedAt,
    seconds: rounded((systemClock.monotonic() - startMs) / 1000),
    ...judge(laws, levels, { problems, isPart }),
    capabilities: capabilities === undefined ? [] : capabilityResults(laws, harness, capabilities),
    levels,
    laws,
    problems,
    commands: sortedCounts(coverage.counts),
    transitions: sortedCounts(coverage.transitions),
  };
}

interface Run {
  readonly isHarness: boolean;
  readonly laws: readonly LawResult[];
  readonly problems: readonly Problem[];
  readonly coverage: Coverage;
  readonly capabilities?: Required<Capabilities>;
}

async function runAll(all: readonly Law[], harness: AdapterHarness, options: VerifyOptions): Promise<Run> {
  try {
    requireHarness(harness);
  } catch (error) {
    return { isHarness: false, laws: [], problems: [problemOf(error)], coverage: new Coverage() };
  }
  const capabilities = capabilitiesOf(harness);
  const runner = new LawRunner(harness, options);
  const problem = await runner.problem;
  const laws: LawResult[] = [];
  for (const law of lawsFor(all, harness, capabilities)) {
    const result = await runner.run(law);
    laws.push(result);
    options.onLaw?.(result);
  }
  return {
    isHarness: true,
    laws,
    problems: problem === undefined ? [] : [problem],
    coverage: runner.coverage,
    capabilities,
  };
}

function sortedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
