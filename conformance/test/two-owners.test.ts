/** (l) Two owners, at every point of the checkpoint of one and of the opening of the other. */

import { describe, expect, it } from "vitest";
import type { Harness } from "../src/harness.js";
import { type HoldPoint, interleave, raceToOwn } from "../src/properties/two-owners.js";
import { diskHarness, memoryHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, settings } from "./support/settings.js";

const { runs: thoroughness } = settings(1);

function* holdPoints(): Generator<HoldPoint> {
  for (let call = 0; ; call++) for (const when of ["before", "after"] as const) yield { call, when };
}

/** Holds the first owner up everywhere, and the second at every `stride`th point of its opening. */
async function everyInterleaving(harness: Harness, stride: number): Promise<number> {
  let count = 0;
  for (const first of holdPoints()) {
    const { firstWasHeld } = await interleave(harness, { first });
    if (!firstWasHeld) return count;
    let at = 0;
    for (const second of holdPoints()) {
      if (at++ % stride !== first.call % stride) continue;
      count++;
      if (!(await interleave(harness, { first, second })).secondWasHeld) break;
    }
  }
  return count;
}

describe("T25 of two owners the later one goes on, and the other is told", () => {
  it.each([memoryHarness, diskHarness])(
    "opening at once on $name",
    { timeout: PROPERTY_TIMEOUT_MS },
    async (harness) => {
      for (const hold of holdPoints()) if (!(await raceToOwn(harness, hold))) break;
    },
  );

  it("on memory", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    expect(await everyInterleaving(memoryHarness, Math.max(1, Math.round(3 / thoroughness)))).toBeGreaterThan(60);
  });

  it("on the filesystem", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    expect(await everyInterleaving(diskHarness, Math.max(1, Math.round(9 / thoroughness)))).toBeGreaterThan(10);
  });
});
