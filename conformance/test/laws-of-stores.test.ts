/** The laws of `Store` hold of the reference store, and each broken store breaks one of its clause. */

import { describe, expect, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { brokenStoreHarness } from "../src/laws-of-stores/broken-store.js";
import { BROKEN_STORES } from "../src/laws-of-stores/broken-stores.js";
import { memoryStoreHarness } from "../src/laws-of-stores/memory-harness.js";
import { scopeIsContained } from "../src/laws-of-stores/containment.js";
import { anyStoreHistory } from "../src/laws-of-stores/store-history.js";
import { checkStoreLaw, STORE_LAWS } from "../src/laws-of-stores/store-laws.js";

describe("the store in memory", () => {
  it.each(STORE_LAWS)("$id $title", async (law) => {
    await checkStoreLaw(law, async () => memoryStoreHarness());
  });

  it("S1, S2, S3, S4, S5, S6, S7, S8, S9: after any history it answers as the model says", async () => {
    await checkProperty(
      "any store history",
      anyStoreHistory(async () => memoryStoreHarness()),
      { runs: 300, seed: 7 },
    );
  });
});

describe("a broken store is caught by the laws of its clause", () => {
  const reaching = BROKEN_STORES.filter(({ clause }) => clause === "S11");

  // Silent ones are for the runner: see the table of mutants.
  it.each(BROKEN_STORES.filter((broken) => !reaching.includes(broken) && broken.isSilent !== true))(
    "$clause that $what",
    async (broken) => {
      const laws = STORE_LAWS.filter(({ id }) => id === broken.clause);
      const caught = await Promise.allSettled(
        laws.map((law) => checkStoreLaw(law, async () => brokenStoreHarness(broken))),
      );
      expect(caught.filter(({ status }) => status === "rejected")).not.toEqual([]);
    },
  );

  it.each(reaching)("S11 that $what", async (broken) => {
    await expect(scopeIsContained(async () => brokenStoreHarness(broken))).rejects.toThrow();
  });
});

describe("a broken store is caught by any history", () => {
  const reachable = BROKEN_STORES.filter(({ clause }) => ["S5", "S6", "S7", "S8"].includes(clause));

  it.each(reachable.filter(({ what }) => !what.includes("thousand")))("$clause that $what", async (broken) => {
    const history = anyStoreHistory(async () => brokenStoreHarness(broken), 40);
    const running = checkProperty("any store history", history, { runs: 300, seed: 7, endOnFailure: true });
    await expect(running).rejects.toThrow(/Property failed/);
  });
});
