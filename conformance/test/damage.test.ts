/** (j) Damaged, lost and swapped objects. */

import { describe, expect, it } from "vitest";
import { damages, intactPlace, violations } from "../src/properties/damage.js";
import { memoryHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, settings } from "./support/settings.js";

const { runs: thoroughness } = settings(1);

describe("T27 a damaged place is never restored to a wrong state", () => {
  const histories = [
    { openings: 1, retain: 1 },
    { openings: 1, retain: 2 },
    { openings: 3, retain: 2 },
  ];
  const name = "after $openings openings, with $retain retained";
  it.each(histories)(name, { timeout: PROPERTY_TIMEOUT_MS }, async (history) => {
    const intact = await intactPlace(memoryHarness, history);
    const found: string[] = [];
    for (const damage of damages(intact.objects, 12 * thoroughness)) {
      found.push(...(await violations(memoryHarness, intact, damage)));
    }
    expect(found).toEqual([]);
  });
});
