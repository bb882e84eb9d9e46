/** (b), (f), (g): any history, on every backend; what it leaves is the same on all of them. */

import { afterAll, describe, expect, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { sameSavepoints } from "../src/differential/same-savepoints.js";
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

describe("T147 one history leaves the same savepoints", () => {
  const cases = [
    { harness: memoryHarness, runs: 15 },
    { harness: diskHarness, runs: 15 },
    { harness: pointHarness, runs: 25 },
    { harness: asyncHarness, runs: 25 },
    { harness: real, runs: 2 },
  ];
  it.each(cases)("on $harness.name as in memory", { timeout: PROPERTY_TIMEOUT_MS }, async ({ harness, runs }) => {
    const coverage = new Coverage();
    await checkProperty("same savepoints", sameSavepoints(harness, coverage, 60), settings(runs));
    expect(coverage.counts.get("savepoints compared") ?? 0).toBeGreaterThan(0);
    expect(coverage.counts.get("histories part") ?? 0).toBeLessThan(runs / 5);
    report(harness.name, coverage);
  });
});
