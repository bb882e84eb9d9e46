/** (a) and (c) to (g), on every backend in memory. */

import { describe, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { CATALOG } from "../src/model/catalog.js";
import { fullIsChain } from "../src/properties/checkpoint-chains.js";
import { frozenIsFrozen } from "../src/properties/frozen-tables.js";
import { exactlyOnce } from "../src/properties/processing.js";
import { rescalingIsIdentity } from "../src/properties/rescaling.js";
import { listingIsTrue } from "../src/properties/retention.js";
import { stateKind } from "../src/properties/state-kinds.js";
import { asyncHarness, diskHarness, memoryHarness, pointHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, report, settings } from "./support/settings.js";

const timeout = PROPERTY_TIMEOUT_MS;
const backends = [
  { harness: memoryHarness, share: 1 },
  { harness: diskHarness, share: 0.4 },
  { harness: pointHarness, share: 0.4 },
  { harness: asyncHarness, share: 0.4 },
];

/** The clauses of docs/contract.md that a plain collection stands for, by the kind of state. */
const CLAUSES = {
  value: "T1 T2 T8",
  list: "T1 T2 T9",
  map: "T1 T2 T10",
  reducing: "T1 T2 T11",
  aggregating: "T1 T2 T11",
  "split-list": "T14",
  "union-list": "T14",
  broadcast: "T14",
} as const;

const kinds = CATALOG.map((spec) => ({
  spec,
  clauses: `${CLAUSES[spec.kind]}${spec.isNamespaced ? " T12" : ""}`,
  shown: `${spec.isNamespaced ? "namespaced " : ""}${spec.kind}`,
}));

describe.each(kinds)("$clauses T13 $shown state is like a plain collection", ({ spec, shown }) => {
  it(`under the name ${JSON.stringify(spec.name.slice(0, 20))}`, { timeout }, async () => {
    const coverage = new Coverage();
    await checkProperty(shown, stateKind(spec, memoryHarness, coverage), settings(20));
    report(shown, coverage);
  });
});

describe.each(backends)("on $harness.name", ({ harness, share }) => {
  it("T21 a full checkpoint is the same as a chain of incremental ones", { timeout }, async () => {
    await checkProperty("full is chain", fullIsChain(harness, new Coverage()), settings(15 * share));
  });

  it("T14 T15 T22 rescaling and back changes nothing", { timeout }, async () => {
    await checkProperty("rescaling", rescalingIsIdentity(harness, new Coverage()), settings(30 * share));
  });

  it("T18 frozen tables are not changed by later writes", { timeout }, async () => {
    await checkProperty("frozen", frozenIsFrozen(harness, new Coverage()), settings(40 * share));
  });

  it("T17 T28 records take effect exactly once", { timeout }, async () => {
    await checkProperty("exactly once", exactlyOnce(harness), settings(60 * share));
  });

  it("T24 what is retained restores, and the storage holds nothing else", { timeout }, async () => {
    await checkProperty("retention", listingIsTrue(harness, new Coverage()), settings(20 * share));
  });
});
