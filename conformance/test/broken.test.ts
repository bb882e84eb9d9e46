/** Each broken storage and job is caught by the property that is there for it. */

import { describe, expect, it } from "vitest";
import { BROKEN_JOBS, soundJob } from "../src/broken/broken-jobs.js";
import { BROKEN_STORAGES, type BrokenStorage, brokenPlace, type Catcher } from "../src/broken/broken-storages.js";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import type { Harness } from "../src/harness.js";
import { anyHistory } from "../src/properties/any-history.js";
import { listingIsTrue } from "../src/properties/retention.js";
import { raceToOwn } from "../src/properties/two-owners.js";
import { memoryHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS } from "./support/settings.js";

/** Always the same: a mutant that lives is a blind spot, not bad luck. The first failure is enough: nobody needs the smallest. */
const RUN = { seed: 1, endOnFailure: true };

const CATCHERS: Record<Catcher, (harness: Harness) => Promise<void>> = {
  "any history": (harness) => checkProperty("broken", anyHistory(harness, new Coverage(), 60), { ...RUN, runs: 120 }),
  retention: (harness) => checkProperty("broken", listingIsTrue(harness, new Coverage()), { ...RUN, runs: 20 }),
  async "race to own"(harness) {
    for (let call = 0; await raceToOwn(harness, { call, when: "before" }); call++);
  },
};

describe("what is not broken is not caught", () => {
  it.each(Object.keys(CATCHERS) as Catcher[])("by %s", { timeout: PROPERTY_TIMEOUT_MS }, async (catcher) => {
    const sound: BrokenStorage = { what: "is sound", caughtBy: catcher, make: () => () => ({}) };
    const { wrap } = soundJob;
    await CATCHERS[catcher]({ ...memoryHarness, wrap, place: () => brokenPlace(memoryHarness.place(), sound) });
  });
});

describe("a broken storage is caught", () => {
  it.each(BROKEN_STORAGES)("that $what", { timeout: PROPERTY_TIMEOUT_MS }, async (broken) => {
    const harness = { ...memoryHarness, place: () => brokenPlace(memoryHarness.place(), broken) };
    await expect(CATCHERS[broken.caughtBy](harness)).rejects.toThrow();
  });
});

describe("a broken job is caught", () => {
  it.each(BROKEN_JOBS)("$what", { timeout: PROPERTY_TIMEOUT_MS }, async ({ wrap }) => {
    await expect(CATCHERS["any history"]({ ...memoryHarness, wrap })).rejects.toThrow(/Property failed/);
  });
});
