/** Runs the laws of an adapter one by one, for whoever collects the results. */

import { Coverage } from "../commands/coverage.js";
import { rememberPrototypes } from "../oracles/process-facts.js";
import type { AdapterHarness, Capabilities, StoreAdapterHarness } from "./adapter-harness.js";
import { Blame, errorText } from "./blame.js";
import { CallTrace } from "./call-trace.js";
import { failureOf, type Invocation } from "./failure.js";
import type { Law } from "./law.js";
import { brokenJobs, brokenStores, CONSTANT_STORE, NULL_STORE, nullHarness } from "./null-harness.js";
import type { LawResult, Problem } from "./report.js";
import { capabilitiesOf } from "./require-harness.js";
import { runLaw, type RunSettings } from "./run-law.js";
import { isNamed, obstacle } from "./select-laws.js";
import { Session } from "./session.js";
import { storePlaces } from "./store-session.js";
import { DEFAULTS, type VerifyOptions } from "./verify-options.js";

export class LawRunner {
  readonly coverage = new Coverage();
  readonly capabilities: Required<Capabilities>;
  readonly #harness: AdapterHarness;
  readonly #options: VerifyOptions;
  #preflight: Promise<Problem | undefined> | undefined;

  constructor(harness: AdapterHarness, options: VerifyOptions) {
    // Before any call of the adapter.
    rememberPrototypes();
    this.#harness = harness;
    this.#options = options;
    this.capabilities = capabilitiesOf(harness);
  }

  /** What stops every law; it is looked for once. */
  get problem(): Promise<Problem | undefined> {
    this.#preflight ??= preflight(this.#harness, this.#options.deadlineMs ?? DEFAULTS.deadlineMs);
    return this.#preflight;
  }

  async run(law: Law): Promise<LawResult> {
    const { id, contract, level, title, clauses } = law;
    const about = { id, contract, level, title, clauses };
    const idle = { ...about, cases: 0, seconds: 0 };
    if ((await this.problem) !== undefined) return { ...idle, status: "not run", reason: "the harness failed" };
    if (!isNamed(law, this.#options.only)) return { ...idle, status: "not run", reason: "not asked for" };
    const hindered = obstacle(law, this.#harness, this.capabilities);
    if (hindered !== undefined) return { ...idle, ...hindered };
    return { ...about, ...(await this.#judged(law)) };
  }

  async #judged(law: Law): Promise<Omit<LawResult, "id" | "contract" | "level" | "title" | "clauses">> {
    const outcome = await runLaw(law, this.#harness, this.#runSettings());
    const measured = { cases: outcome.cases, seconds: rounded(outcome.seconds) };
    const expected = this.#options.expectedFailures?.[law.id];
    if (outcome.error !== undefined) {
      const failure = failureOf(law, outcome, this.#invocation());
      if (expected === undefined) return { ...measured, status: "failed", failure };
      return { ...measured, status: "expected", reason: expected, failure };
    }
    if (await this.#isBlind(law)) {
      const error = new Blame(
        "kit",
        `The law ${law.id} also passes an adapter that keeps nothing. Report this to Tidemark.`,
      );
      return { ...measured, status: "failed", failure: failureOf(law, { ...outcome, error }, this.#invocation()) };
    }
    if (expected === undefined) return { ...measured, status: "passed" };
    return { ...measured, status: "stale", reason: `it passes, and was expected to fail: ${expected}` };
  }

  /** Whether the law passes what it must not. */
  async #isBlind(law: Law): Promise<boolean> {
    const settings = { ...this.#runSettings(), path: undefined, profile: "quick" } as const;
    const canary = { ...settings, coverage: new Coverage(), wrapJobs: brokenJobs, isCanary: true };
    const isStore = law.contract === "store";
    const canaries = isStore
      ? [NULL_STORE, CONSTANT_STORE, ...brokenStores(law.clauses[0])]
      : [nullHarness(this.capabilities)];
    for (const harness of canaries) {
      if ((await runLaw(law, harness, canary)).error !== undefined) return false;
    }
    return true;
  }

  #runSettings(): RunSettings {
    const { capabilities, coverage } = this;
    const { profile, seed, deadlineMs, path } = { ...DEFAULTS, ...this.#options };
    return { capabilities, coverage, profile, seed, deadlineMs, path };
  }

  #invocation(): Invocation {
    const { profile, seed, module, exportName } = { ...DEFAULTS, ...this.#options };
    return { harness: this.#harness, profile, seed, module, exportName };
  }
}

/** A harness whose first place cannot be made is told once, and not by every law. */
async function preflight(harness: AdapterHarness, deadlineMs: number): Promise<Problem | undefined> {
  if (harness.contract === "store") return preflightStore(harness, deadlineMs);
  const session = new Session(harness, { deadlineMs, trace: new CallTrace() });
  try {
    await (await session.place()).open();
    await session.dispose();
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

async function preflightStore(harness: StoreAdapterHarness, deadlineMs: number): Promise<Problem | undefined> {
  try {
    const place = await storePlaces(harness, { deadlineMs, trace: new CallTrace() })();
    place.create();
    await place.dispose();
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Blame) return { culprit: error.culprit, message: error.message };
  return { culprit: "kit", message: errorText(error) };
}

/** Seconds, to the millisecond. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
