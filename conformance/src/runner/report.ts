/** What a run found. `schema` counts the changes of this shape; fields are only added within one. */

import type { Contract } from "./adapter-harness.js";
import type { Culprit } from "./blame.js";
import type { Level } from "./law.js";
import type { Profile } from "./profile.js";

export const REPORT_SCHEMA = "tidemark-conformance-report/1";

/**
 * `expected`: it failed, and the file of expected failures says so. `stale`: it passed, and that file says that it fails.
 * `not claimed`: the adapter does not declare what the law is about. `not run`: the harness offers no hook for it, or it was not
 * asked for.
 */
export type LawStatus = "passed" | "failed" | "expected" | "stale" | "not claimed" | "not run";

/** How one law ended. */
export interface LawResult {
  readonly id: string;
  readonly contract: Contract;
  readonly level: Level;
  readonly title: string;
  readonly clauses: readonly string[];
  readonly status: LawStatus;
  /** Why it did not run, or is expected to fail. */
  readonly reason?: string;
  /** How many cases were looked at. */
  readonly cases: number;
  readonly seconds: number;
  readonly failure?: Failure;
}

/** What is needed to understand a failure and to see it again. */
export interface Failure {
  readonly culprit: Culprit;
  /** What was expected and what was found. */
  readonly message: string;
  readonly seed: number;
  /** Of fast-check; absent where the law has one case. */
  readonly path?: string;
  /** The smallest program that fails, or the last calls. */
  readonly program: readonly string[];
  /** How many times a smaller program was found. */
  readonly shrinks: number;
  /** A command and a script to paste. */
  readonly command: string;
  readonly script: string;
  readonly stack?: string;
}

/** `passed` is said only if every law of the level ran. */
export type LevelStatus = "passed" | "failed" | "incomplete" | "not claimed" | "not run";

/** A level, and what is to be said of it. */
export interface LevelResult {
  readonly level: Level;
  readonly status: LevelStatus;
  readonly passed: number;
  readonly total: number;
  /** What did not run, and why. */
  readonly notes: readonly string[];
}

/** What the adapter says of itself, and what was seen. */
export interface CapabilityResult {
  readonly name: string;
  readonly claimed: string;
  readonly observed: string;
}

/** Something that stopped a law or the run and is no breach of a law. */
export interface Problem {
  readonly culprit: Culprit;
  readonly message: string;
}

/** `incomplete`: nothing failed, and not everything that is needed for a judgement ran. */
export type Verdict = "conformant" | "not conformant" | "incomplete";

/** The whole of it. */
export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly kit: string;
  readonly node: string;
  readonly adapter: string;
  readonly contract: Contract;
  readonly profile: Profile;
  readonly seed: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly verdict: Verdict;
  /** The verdict as a sentence. */
  readonly summary: string;
  readonly capabilities: readonly CapabilityResult[];
  readonly levels: readonly LevelResult[];
  readonly laws: readonly LawResult[];
  readonly problems: readonly Problem[];
  /** How often each command ran, and each right after another. */
  readonly commands: Readonly<Record<string, number>>;
  readonly transitions: Readonly<Record<string, number>>;
}
