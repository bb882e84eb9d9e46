/** What is committed with an object, and with a checkpoint: for storages that declare transactions. */

import { guardHoldsOff } from "../../properties/guard-holds-off.js";
import { linesOfLives, resultsOfJobs } from "../../properties/results-of-jobs.js";
import { resultsWithObjects } from "../../properties/results-with-objects.js";
import { expectThat } from "../../oracles/expectations.js";
import type { Law } from "../../runner/law.js";

const RESULTS = {
  contract: "storage",
  level: "results",
  claims: ["transactions"],
  hooks: ["writeResult", "readResults"],
} as const;

export const RESULT_LAWS: readonly Law[] = [
  {
    id: "transactions-declared",
    contract: "storage",
    level: "objects",
    clauses: ["CS12"],
    appliesTo: ({ transactions }) => !transactions,
    title: "A storage that does not declare transactions has no putWith: core would use it",
    async run(context) {
      const storage = await (await context.place()).open();
      expectThat(
        storage.putWith === undefined,
        "There is a putWith: declare transactions, and add the hooks writeResult and readResults",
      );
    },
  },
  {
    ...RESULTS,
    id: "results-with-objects",
    clauses: ["CS12"],
    title: "Results are there if and only if the putWith that wrote them has created its object",
    run: (context) =>
      context.check(
        resultsWithObjects(() => context.place()),
        context.runs(40),
      ),
  },
  {
    ...RESULTS,
    id: "guard-holds-off",
    clauses: ["CS12"],
    title: "Who creates the next owner record was there before the guarded putWith, or finds its object",
    run: (context) =>
      context.check(
        guardHoldsOff(() => context.place()),
        context.runs(12),
      ),
  },
  {
    ...RESULTS,
    id: "results-iff-published",
    clauses: ["T150", "T152", "T153", "T154"],
    claims: ["transactions", "shared"],
    title: "Results of a checkpoint are there once if it counts, and never if it does not, wherever its owner dies",
    run: (context) =>
      context.check(
        resultsOfJobs(() => context.place()),
        context.runs(40),
        ([lives]) => ({ lines: linesOfLives(lives) }),
      ),
  },
];
