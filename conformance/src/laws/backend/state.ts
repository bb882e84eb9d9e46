/** What a backend's state does, whatever it is kept in: the properties that look at state more than at storages. */

import { CATALOG, type StateKind } from "../../model/catalog.js";
import { fullIsChain } from "../../properties/checkpoint-chains.js";
import { frozenIsFrozen } from "../../properties/frozen-tables.js";
import { rescalingIsIdentity } from "../../properties/rescaling.js";
import { stateKind } from "../../properties/state-kinds.js";
import type { Law } from "../../runner/law.js";
import { linesOfCase } from "../../runner/show-case.js";

const STATE = { contract: "backend", level: "state", hooks: ["backend"] } as const;

/** The clauses that a plain collection stands for, by the kind of state. */
const CLAUSES: Readonly<Record<StateKind, readonly string[]>> = {
  value: ["T1", "T2", "T8", "T12", "T13"],
  list: ["T1", "T2", "T9", "T12", "T13"],
  map: ["T1", "T2", "T10", "T12", "T13"],
  reducing: ["T1", "T2", "T11", "T12", "T13"],
  aggregating: ["T1", "T2", "T11", "T12", "T13"],
  "split-list": ["T14"],
  "union-list": ["T14"],
  broadcast: ["T14"],
};

const plain = Object.entries(CLAUSES).map(
  ([kind, clauses]): Law => ({
    ...STATE,
    id: `plain-${kind}`,
    clauses,
    title: `State of the kind ${kind} is like a plain collection`,
    async run(context) {
      for (const spec of CATALOG.filter((each) => each.kind === kind)) {
        const property = stateKind(spec, context.jobs, context.coverage);
        await context.check(property, context.runs(5), (given) => ({ lines: linesOfCase(given, [[spec], [spec]]) }));
      }
    },
  }),
);

export const STATE_LAWS: readonly Law[] = [
  ...plain,
  {
    ...STATE,
    id: "full-is-chain",
    clauses: ["T21"],
    title: "A full checkpoint holds the same as a chain of incremental ones",
    run: (context) => context.check(fullIsChain(context.jobs, context.coverage), context.runs(6)),
  },
  {
    ...STATE,
    id: "frozen-is-frozen",
    clauses: ["T18"],
    title: "What a barrier has frozen is not changed by later writes",
    run: (context) => context.check(frozenIsFrozen(context.jobs, context.coverage), context.runs(15)),
  },
  {
    ...STATE,
    id: "rescaling-is-identity",
    clauses: ["T14", "T15", "T22"],
    title: "Any way from p tasks to q and back changes nothing but who holds what",
    run: (context) => context.check(rescalingIsIdentity(context.jobs, context.coverage), context.runs(10)),
  },
];
