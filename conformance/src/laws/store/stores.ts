/** The laws of `Store`, as laws of the kit. */

import { scopeIsContained } from "../../laws-of-stores/containment.js";
import { anyStoreHistory } from "../../laws-of-stores/store-history.js";
import { checkStoreLaw, STORE_LAWS } from "../../laws-of-stores/store-laws.js";
import { contendedScopes, ownerLines } from "../../linearizability/contended-scopes.js";
import type { Law } from "../../runner/law.js";

const STORE = { contract: "store", level: "store" } as const;
const WORDS_MAX = 7;

/** S10: with several owners at once. */
const CONTENDED_SCOPES: Law = {
  ...STORE,
  id: "contended-scopes",
  clauses: ["S10"],
  title: "What several owners of a scope are told fits one order of their calls",
  run: (context) =>
    context.check(contendedScopes(context.stores, context.coverage), context.runs(60), ([programs]) => ({
      lines: ownerLines(programs),
    })),
};

const CONTAINED_SCOPE: Law = {
  ...STORE,
  id: "contained-scope",
  clauses: ["S11"],
  title: "Whatever happens in a scope, nothing of another scope and nothing of the process changes",
  run: (context) => scopeIsContained(context.stores),
};

export const LAWS_OF_STORES: readonly Law[] = [
  ...STORE_LAWS.map((law): Law => {
    const { id: clause, title } = law;
    return {
      ...STORE,
      id: slug(`${clause} ${title}`),
      clauses: [clause],
      title: `${title[0]?.toUpperCase()}${title.slice(1)}`,
      run: (context) => checkStoreLaw(law, context.stores),
    };
  }),
  {
    ...STORE,
    id: "any-store-history",
    clauses: ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9"],
    title: "After any history the store answers as a map of rows and marks would",
    run: (context) => context.check(anyStoreHistory(context.stores), context.runs(100)),
  },
  CONTENDED_SCOPES,
  CONTAINED_SCOPE,
];

/** Clause and first words: titles begin differently. */
function slug(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.slice(0, WORDS_MAX).join("-");
}
