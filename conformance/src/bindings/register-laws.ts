/** One test for each law, in whatever framework. */

import { ALL_LAWS } from "../laws/all-laws.js";
import { failureText } from "../report/failure-text.js";
import type { AdapterHarness } from "../runner/adapter-harness.js";
import type { Law } from "../runner/law.js";
import { LawRunner } from "../runner/law-runner.js";
import { EXTENTS } from "../runner/profile.js";
import { capabilitiesOf, requireHarness } from "../runner/require-harness.js";
import { isNamed, lawsFor, obstacle, requireNames } from "../runner/select-laws.js";
import { DEFAULTS, type VerifyOptions } from "../runner/verify-options.js";

/** What is needed of a test framework. */
export interface Framework {
  group(name: string, register: () => void): void;
  test(name: string, run: () => Promise<void>, timeoutMs: number): void;
  /** Registers a test that is shown as not run. */
  skipped(name: string): void;
}

/** Above what the law itself may take, milliseconds. */
const MARGIN_MS = 180_000;

/**
 * Registers a test for each law of `harness`. What the adapter does not claim is named once, and what the harness has no hook for is
 * shown as skipped: neither is green.
 */
export function registerLaws(framework: Framework, harness: AdapterHarness, options: VerifyOptions = {}): void {
  requireHarness(harness);
  requireNames([...(options.only ?? []), ...Object.keys(options.expectedFailures ?? {})], ALL_LAWS);
  framework.group(`${harness.name} keeps the contract`, () => {
    const capabilities = capabilitiesOf(harness);
    const runner = new LawRunner(harness, options);
    const timeoutMs = EXTENTS[options.profile ?? DEFAULTS.profile].lawMs + MARGIN_MS;
    const laws = lawsFor(ALL_LAWS, harness, capabilities).filter((law) => isNamed(law, options.only));
    for (const law of laws) {
      const hindered = obstacle(law, harness, capabilities);
      if (hindered === undefined) framework.test(nameOf(law), () => expectLaw(runner, law), timeoutMs);
      else if (hindered.status === "not run") framework.skipped(`${nameOf(law)}: ${hindered.reason}`);
    }
  });
}

async function expectLaw(runner: LawRunner, law: Law): Promise<void> {
  const problem = await runner.problem;
  if (problem !== undefined) throw new Error(problem.message);
  const result = await runner.run(law);
  if (result.status === "passed" || result.status === "expected") return;
  throw new Error(result.failure === undefined ? result.reason : failureText(result, result.failure));
}

function nameOf({ id, clauses, title }: Law): string {
  return `${[...clauses, id].join(" ")}: ${title}`;
}
