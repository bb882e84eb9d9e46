/** The laws of support/laws.ts on the storage as it is, and proof that each of them catches something. */

import { describe, expect, it } from "vitest";
import { LawBroken } from "./support/history.js";
import { LAWS } from "./support/laws.js";
import type { LawName } from "./support/laws.js";
import { CORRECT, MUTANTS } from "./support/variants.js";

/** How many states each law looks at, at the least: a law that looks at nothing holds of anything. */
const STATES_MIN: Readonly<Record<LawName, number>> = {
  "crash at every operation": 150,
  "errors everywhere": 1_500,
  "failed directory sync": 4_000,
  "failed sync": 3_000,
  "honest outcome": 150,
  "never replaced": 1,
  "one winner": 32,
  "power loss": 8_000,
  "power loss twice": 8_000,
  "restart in between": 1_500,
  "short transfers": 1,
};

const names = Object.keys(LAWS) as LawName[];

describe("laws of a directory", () => {
  it.each(names)("%s", async (name) => {
    expect(await LAWS[name](CORRECT)).toBeGreaterThanOrEqual(STATES_MIN[name]);
  });

  it.each(names)("%s is broken by at least one mutant", (name) => {
    expect(Object.values(MUTANTS).some(({ law }) => law === name)).toBe(true);
  });
});

describe("mutants", () => {
  it.each(Object.entries(MUTANTS))("%s is caught", async (_name, { law, ...replaced }) => {
    await expect(LAWS[law]({ ...CORRECT, ...replaced })).rejects.toBeInstanceOf(LawBroken);
  });
});
