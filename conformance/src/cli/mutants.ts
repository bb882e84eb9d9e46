/** Runs every broken storage, job and store that the kit has, and tells which of them its laws catch, and how fast. */

import { memoryStorage, systemClock } from "@tidemark/core";
import { BROKEN_JOBS } from "../broken/broken-jobs.js";
import { BROKEN_STORAGES, brokenPlace, type Catcher } from "../broken/broken-storages.js";
import { Coverage } from "../commands/coverage.js";
import { type Harness, memoryPlace } from "../harness.js";
import { BROKEN_STORES, brokenStoreHarness } from "../laws-of-stores/broken-stores.js";
import { checkStoreLaw, STORE_LAWS } from "../laws-of-stores/store-laws.js";
import { anyHistory } from "../properties/any-history.js";
import { listingIsTrue } from "../properties/retention.js";
import { raceToOwn } from "../properties/two-owners.js";
import { errorText } from "../runner/blame.js";
import { CaseFailure, checkCases } from "../runner/check-cases.js";
import type { Terminal } from "./run-command.js";

/** One mutant, and what became of it. */
export interface MutantResult {
  readonly mutant: string;
  /** The law that must catch it. */
  readonly law: string;
  readonly isKilled: boolean;
  /** Commands that ran until it was caught; 0 where the law has none. */
  readonly commands: number;
  readonly seconds: number;
  readonly found: string;
}

interface Mutant {
  readonly what: string;
  readonly law: string;
  /** Rejects if the law catches it. */
  readonly run: (coverage: Coverage) => Promise<unknown>;
}

const LAWS: Readonly<Record<Catcher, string>> = {
  "any history": "any-history",
  retention: "retained-restores",
  "race to own": "race-to-own",
};

/** Longer than any mutant needs, milliseconds. */
const LIMIT_MS = 60_000;

const MEMORY: Harness = {
  name: "memory",
  backend: () => ({ name: "memory", sync: true, checkpoints: memoryStorage() }),
  place: memoryPlace,
};

function allMutants(): readonly Mutant[] {
  const storages = BROKEN_STORAGES.map((broken) => {
    const harness = { ...MEMORY, place: () => brokenPlace(memoryPlace(), broken) };
    return mutant(`a storage that ${broken.what}`, broken.caughtBy, harness);
  });
  const jobs = BROKEN_JOBS.map(({ what, wrap }) => mutant(`a job: ${what}`, "any history", { ...MEMORY, wrap }));
  const stores = BROKEN_STORES.map((broken) => ({
    what: `a store that ${broken.what}`,
    law: broken.clause,
    async run() {
      for (const law of STORE_LAWS.filter(({ id }) => id === broken.clause)) {
        await checkStoreLaw(law, async () => brokenStoreHarness(broken));
      }
    },
  }));
  return [...storages, ...jobs, ...stores];
}

function mutant(what: string, caughtBy: Catcher, harness: Harness): Mutant {
  return { what, law: LAWS[caughtBy], run: (coverage) => CATCHERS[caughtBy](harness, coverage) };
}

/** Resolves to the exit code: 0 if all were caught. The last line is `mutants killed: K/N`. */
export async function runMutants({ json }: { readonly json: boolean }, { out, err }: Terminal): Promise<number> {
  const results: MutantResult[] = [];
  for (const mutant of allMutants()) {
    const result = await tryMutant(mutant);
    results.push(result);
    if (!json) err(result.isKilled ? "." : "!");
  }
  if (!json) err("\n");
  const killed = results.filter(({ isKilled }) => isKilled).length;
  out(
    json
      ? `${JSON.stringify(results, undefined, 2)}\n`
      : `${tableOf(results)}mutants killed: ${killed}/${results.length}\n`,
  );
  return killed === results.length ? 0 : 1;
}

async function tryMutant({ what, law, run }: Mutant): Promise<MutantResult> {
  const coverage = new Coverage();
  const startMs = systemClock.monotonic();
  const caught = await settledError(() => run(coverage));
  const seconds = (systemClock.monotonic() - startMs) / 1000;
  const commands = [...coverage.counts.values()].reduce((sum, count) => sum + count, 0);
  const cause = caught instanceof CaseFailure ? caught.cause : caught;
  const found = caught === undefined ? "" : (errorText(cause).split("\n")[0] ?? "");
  return { mutant: what, law, isKilled: caught !== undefined, commands, seconds, found };
}

async function settledError(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const COMMON = { seed: 1, limitMs: LIMIT_MS, endOnFailure: true, afterEach: async () => {} } as const;

const CATCHERS: Readonly<Record<Catcher, (harness: Harness, coverage: Coverage) => Promise<unknown>>> = {
  "any history": (harness, coverage) => checkCases(anyHistory(harness, coverage, 60), { ...COMMON, runs: 120 }),
  retention: (harness, coverage) => checkCases(listingIsTrue(harness, coverage), { ...COMMON, runs: 20 }),
  async "race to own"(harness) {
    for (let call = 0; await raceToOwn(harness, { call, when: "before" }); call++);
  },
};

function tableOf(results: readonly MutantResult[]): string {
  const rows = results.map(({ mutant, law, isKilled, commands, seconds }) => [
    mutant,
    law,
    isKilled ? "killed" : "ALIVE",
    String(commands),
    seconds.toFixed(2),
  ]);
  const all = [["mutant", "caught by", "", "commands", "seconds"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return all.map((row) => `${line(row).trimEnd()}\n`).join("");
}
