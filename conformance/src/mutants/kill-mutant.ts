/** Runs the laws that are there for a mutant, and tells how soon they caught it. */

import { systemClock } from "@tidemark/core";
import { Coverage } from "../commands/coverage.js";
import { errorText } from "../runner/blame.js";
import { CaseFailure } from "../runner/check-cases.js";
import type { Law } from "../runner/law.js";
import { capabilitiesOf } from "../runner/require-harness.js";
import { runLaw, type RunSettings } from "../runner/run-law.js";
import { DEFAULTS } from "../runner/verify-options.js";
import type { Mutant } from "./all-mutants.js";

/** What became of a mutant. */
export interface MutantResult {
  readonly mutant: string;
  /** The law that caught it; of one that lives, those that should have. */
  readonly law: string;
  readonly isKilled: boolean;
  /** Commands that ran until it was caught; 0 where the law has none. */
  readonly commands: number;
  /** Cases that were looked at until then. */
  readonly cases: number;
  /** Until it was caught, without the search for a smaller program. */
  readonly seconds: number;
  /** What the law said. */
  readonly found: string;
  /** The smallest program that was found in the time given. */
  readonly program: readonly string[];
}

export interface KillSettings {
  /** So long may the search for a smaller program take, milliseconds. */
  readonly shrinkMs: number;
  /** @defaultValue 1: with the same seed a mutant that lives is a blind spot, and no bad luck */
  readonly seed?: number;
}

/** Never rejects. */
export async function killMutant(mutant: Mutant, settings: KillSettings): Promise<MutantResult> {
  const attempt = new Attempt();
  for (const law of mutant.laws) {
    const error = await attempt.run(law, mutant, settings);
    if (error !== undefined) return { mutant: mutant.what, law: law.id, ...attempt.result(error) };
  }
  return { mutant: mutant.what, law: mutant.laws.map(({ id }) => id).join(" "), ...attempt.result(undefined) };
}

/** Counts over all laws that were tried. */
class Attempt {
  readonly #coverage = new Coverage();
  readonly #startMs = systemClock.monotonic();
  #cases = 0;
  #atFailure: Pick<MutantResult, "commands" | "cases" | "seconds"> | undefined;

  async run(law: Law, { harness, wrapJobs }: Mutant, { shrinkMs, seed = 1 }: KillSettings): Promise<unknown> {
    const settings: RunSettings = {
      capabilities: capabilitiesOf(harness),
      coverage: this.#coverage,
      // Many more cases than any mutant needs.
      profile: "full",
      seed,
      shrinkMs,
      deadlineMs: DEFAULTS.deadlineMs,
      onFailure: (cases) => (this.#atFailure ??= this.#now(cases)),
      ...(wrapJobs === undefined ? {} : { wrapJobs }),
    };
    const { error, cases } = await runLaw(law, harness, settings);
    this.#cases += cases;
    return error;
  }

  result(error: unknown): Omit<MutantResult, "mutant" | "law"> {
    const cause = error instanceof CaseFailure ? error.cause : error;
    return {
      isKilled: error !== undefined,
      ...(this.#atFailure ?? this.#now(0)),
      found: error === undefined ? "" : (errorText(cause).split("\n")[0] ?? ""),
      program: error instanceof CaseFailure ? shortProgram(error.program?.lines ?? []) : [],
    };
  }

  /** `cases` more than there were before. */
  #now(cases: number): Pick<MutantResult, "commands" | "cases" | "seconds"> {
    const commands = [...this.#coverage.counts.values()].reduce((sum, count) => sum + count, 0);
    const seconds = (systemClock.monotonic() - this.#startMs) / 1000;
    return { commands, cases: this.#cases + cases, seconds };
  }
}

/** Commands alone, where there are some: what else was generated says which states and numbers there were. */
function shortProgram(lines: readonly string[]): readonly string[] {
  const commands = lines.filter((line) => !/^(?:[[{]|declares |\d+$)/.test(line));
  return commands.length > 0 ? commands : lines;
}
