/** Which laws are meant for an adapter, and why some of them do not run. */

import type { AdapterHarness, Capabilities, Contract } from "./adapter-harness.js";
import { type Law, LEVELS } from "./law.js";

/** A backend keeps checkpoints in a storage, and so the laws of both are meant. */
const CONTRACTS: Readonly<Record<Contract, readonly Contract[]>> = {
  storage: ["storage"],
  backend: ["storage", "backend"],
  store: ["store"],
};

export function lawsFor(
  laws: readonly Law[],
  harness: AdapterHarness,
  capabilities: Required<Capabilities>,
): readonly Law[] {
  const contracts = CONTRACTS[harness.contract];
  return laws.filter((law) => contracts.includes(law.contract) && (law.appliesTo?.(capabilities) ?? true));
}

/** Ids, clauses and levels name laws. @throws {RangeError} for what names none */
export function requireNames(names: readonly string[], laws: readonly Law[]): void {
  const known = new Set(laws.flatMap(({ id, clauses }) => [id, ...clauses]));
  const unknown = names.find((name) => !known.has(name) && !(LEVELS as readonly string[]).includes(name));
  if (unknown === undefined) return;
  throw new RangeError(
    `No law has that name. name=${unknown}. Use an id, a clause as CS3, or a level: ${LEVELS.join(", ")}. The command 'laws' lists them.`,
  );
}

export function isNamed({ id, level, clauses }: Law, only: readonly string[] | undefined): boolean {
  return only === undefined || only.some((name) => name === id || name === level || clauses.includes(name));
}

/** Why a law does not run; `undefined` if it does. */
export function obstacle(
  law: Law,
  harness: AdapterHarness,
  capabilities: Required<Capabilities>,
): { readonly status: "not claimed" | "not run"; readonly reason: string } | undefined {
  const unclaimed = law.claims?.find((name) => !capabilities[name]);
  if (unclaimed !== undefined) return { status: "not claimed", reason: `the adapter does not declare ${unclaimed}` };
  const offered = harness as unknown as Readonly<Record<string, unknown>>;
  const missing = law.hooks?.find((hook) => offered[hook] === undefined);
  const inapplicable = missing === undefined ? undefined : harness.inapplicable?.[missing];
  if (inapplicable !== undefined) return { status: "not claimed", reason: inapplicable };
  return missing === undefined ? undefined : { status: "not run", reason: `the harness has no ${missing}` };
}
