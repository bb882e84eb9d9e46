/** (b), (f), (g): any history, on every backend. */

import { afterAll, describe, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { anyHistory } from "../src/properties/any-history.js";
import { asyncHarness, diskHarness, memoryHarness, pointHarness, realHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, report, settings } from "./support/settings.js";

const real = realHarness();
afterAll(() => real.dispose());

describe("T19 T20 restore(checkpoint(s)) = s, for any history", () => {
  const cases = [
    { harness: memoryHarness, runs: 150 },
    { harness: diskHarness, runs: 60 },
    { harness: pointHarness, runs: 60 },
    { harness: asyncHarness, runs: 60 },
    { harness: real, runs: 3 },
  ];
  it.each(cases)("on $harness.name", { timeout: PROPERTY_TIMEOUT_MS }, async ({ harness, runs }) => {
    const coverage = new Coverage();
    await checkProperty("any history", anyHistory(harness, coverage, 80), settings(runs));
    report(harness.name, coverage);
  });
});
