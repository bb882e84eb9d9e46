/** What is committed with a checkpoint: the reference keeps its laws, and each broken storage is caught by its own. */

import { describe, expect, it } from "vitest";
import { BROKEN_RESULTS } from "../src/broken/broken-results.js";
import { brokenResultsHarness } from "../src/mutants/all-mutants.js";
import { MEMORY_HARNESS } from "../src/reference/memory-harness.js";
import { TRANSACTIONAL_HARNESS } from "../src/reference/transactional-memory.js";
import type { AdapterHarness } from "../src/runner/adapter-harness.js";
import { nullHarness } from "../src/runner/null-harness.js";
import { verify } from "../src/runner/verify.js";

const TIMEOUT_MS = 120_000;

describe("a storage with transactions", () => {
  it("T150 CS12 is conformant if results are there exactly with their objects", { timeout: TIMEOUT_MS }, async () => {
    const { laws, levels, capabilities } = await verify(TRANSACTIONAL_HARNESS, { only: ["results"] });
    expect(laws.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(levels.find(({ level }) => level === "results")?.status).toBe("passed");
    expect(capabilities.find(({ name }) => name === "transactions")).toMatchObject({ claimed: "yes", observed: "yes" });
  });

  it.each(BROKEN_RESULTS)("is caught if it $what", { timeout: TIMEOUT_MS }, async (broken) => {
    const { laws } = await verify(brokenResultsHarness(broken), { only: [broken.law], seed: 1 });
    expect(laws.find(({ id }) => id === broken.law)).toMatchObject({
      status: "failed",
      failure: { culprit: "adapter" },
    });
  });

  it("CS12 has to declare them: core would use what is there", async () => {
    const harness = { ...TRANSACTIONAL_HARNESS, capabilities: {} };
    const { laws } = await verify(harness, { only: ["transactions-declared", "results"] });
    const statusOf = (law: string): unknown => laws.find(({ id }) => id === law)?.status;
    expect(["transactions-declared", "results-with-objects"].map(statusOf)).toEqual(["failed", "not claimed"]);
  });

  it("that declares them and has none fails, and so does one that keeps nothing", { timeout: TIMEOUT_MS }, async () => {
    const without = { ...MEMORY_HARNESS, capabilities: { transactions: true }, ...hooks };
    for (const harness of [without, nullHarness({ transactions: true })] as unknown as readonly AdapterHarness[]) {
      const { laws } = await verify(harness, { only: ["results"] });
      expect(laws.filter(({ level, status }) => level === "results" && status !== "failed")).toEqual([]);
    }
  });
});

const hooks = { writeResult: () => {}, readResults: () => [] };
