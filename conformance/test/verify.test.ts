/** The runner: what a report says, and that it never says more than was seen. */

import { memoryStorage, type StoreProvider } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { MEMORY_HARNESS } from "../src/reference/memory-harness.js";
import { MEMORY_STORE_HARNESS } from "../src/reference/memory-store-harness.js";
import { NULL_STORE } from "../src/runner/null-harness.js";
import { verify } from "../src/runner/verify.js";
import { brokenHarness } from "./support/broken-harness.js";

const TIMEOUT_MS = 180_000;
const FAST = { only: ["objects"] } as const;

describe("the reference", () => {
  it("conforms, at every level that it claims", { timeout: TIMEOUT_MS }, async () => {
    const report = await verify(MEMORY_HARNESS);
    expect(report.laws.flatMap(({ failure }) => failure ?? [])).toEqual([]);
    expect(report.verdict).toBe("conformant");
    const status = Object.fromEntries(report.levels.map(({ level, status: found }) => [level, found]));
    expect(status).toEqual({
      objects: "passed",
      checkpoints: "passed",
      features: "passed",
      fencing: "passed",
      damage: "passed",
      surroundings: "incomplete",
      crashes: "not claimed",
      results: "not claimed",
      state: "passed",
    });
    expect(report.capabilities).toContainEqual({ name: "shared", claimed: "yes", observed: "yes" });
    expect(Object.keys(report.commands).length).toBeGreaterThan(20);
    expect(Object.keys(report.transitions).length).toBeGreaterThan(100);
  });
});

describe("a report", () => {
  it("says of a part of a run that it is one", async () => {
    const report = await verify(MEMORY_HARNESS, { only: ["bad-names"] });
    expect(report.verdict).toBe("incomplete");
    expect(report.levels.every(({ status }) => status !== "passed")).toBe(true);
  });

  it("is not green where the harness lacks a hook for what is claimed", async () => {
    const harness = { ...MEMORY_HARNESS, capabilities: { durable: true } };
    const { levels } = await verify(harness, { only: ["objects", "crashes"] });
    expect(levels.find(({ level }) => level === "crashes")).toMatchObject({ status: "not run", passed: 0 });
  });

  it("has for each failure the seed, the path, a small program and what to paste", async () => {
    const harness = brokenHarness("cuts names at 80 characters");
    const report = await verify(harness, { only: ["any-calls"], seed: 7, module: "./mine.js" });
    const failure = report.laws.find(({ id }) => id === "any-calls")?.failure;
    expect(failure?.culprit).toBe("adapter");
    expect(failure?.program).toHaveLength(1);
    expect(failure?.program[0]).toMatch(/^storage: (put|reopen|get)/);
    expect(failure?.command).toBe(
      `npx tidemark-conformance verify ./mine.js --profile quick --only any-calls --seed 7 --path ${failure?.path}`,
    );
    expect(failure?.script).toMatch(/^import { harness } from ".\/mine.js";\n[^]*await storage\.put\(/);
    const again = await verify(harness, { only: ["any-calls"], seed: 7, path: failure?.path ?? "" });
    expect(again.laws.find(({ id }) => id === "any-calls")?.failure?.message).toBe(failure?.message);
  });
});

describe("the store in memory", () => {
  it("conforms", { timeout: TIMEOUT_MS }, async () => {
    const report = await verify(MEMORY_STORE_HARNESS);
    expect(report.laws.flatMap(({ failure }) => failure ?? [])).toEqual([]);
    expect(report).toMatchObject({ verdict: "conformant", levels: [{ level: "store", status: "passed" }] });
    expect(report.capabilities).toEqual([{ name: "takeover", claimed: "fences", observed: "fences" }]);
  });

  it("does not conform where it keeps nothing", async () => {
    const report = await verify(NULL_STORE, { only: ["S3", "S5", "S8"] });
    expect(report.verdict).toBe("not conformant");
    const ran = report.laws.filter(({ status }) => status !== "not run");
    expect(ran.filter(({ status }) => status === "failed").length).toBeGreaterThan(5);
  });

  it("is told of a call that hangs", async () => {
    const reopen = (place: StoreProvider) =>
      Object.assign(place.create(), { apply: () => new Promise<never>(() => {}) });
    const report = await verify({ ...MEMORY_STORE_HARNESS, reopen }, { only: ["any-store-history"], deadlineMs: 50 });
    const failure = report.laws.find(({ id }) => id === "any-store-history")?.failure;
    expect(failure).toMatchObject({ culprit: "adapter" });
    expect(failure?.message).toMatch(/^apply did not settle\. deadlineMs=50/);
  });
});

describe("capabilities are checked both ways", () => {
  it("a storage that is not shared has to refuse a second handle", async () => {
    const { laws } = await verify({ ...MEMORY_HARNESS, capabilities: { shared: false } }, FAST);
    expect(laws.find(({ id }) => id === "exclusive-refuses-second")).toMatchObject({ status: "failed" });
    expect(laws.find(({ id }) => id === "one-winner-over-handles")).toMatchObject({ status: "not run" });
  });

  it("a limit that is declared is told, and one that is not is none", async () => {
    const create = () => memoryStorage({ objectBytesMax: 100_000 });
    const declared = await verify({ ...MEMORY_HARNESS, create, capabilities: { objectBytesMax: 100_000 } }, FAST);
    expect(declared.laws.filter(({ status }) => status === "failed")).toEqual([]);
    const silent = await verify({ ...MEMORY_HARNESS, create }, FAST);
    expect(silent.laws.find(({ id }) => id === "bodies-kept")).toMatchObject({ status: "failed" });
    const wrong = await verify({ ...MEMORY_HARNESS, create, capabilities: { objectBytesMax: 200_000 } }, FAST);
    expect(wrong.laws.find(({ id }) => id === "limit-told")).toMatchObject({ status: "failed" });
  });
});

describe("expected failures", () => {
  const broken = brokenHarness("ignores ranges");

  it("are told and do not count, and their level is not green", async () => {
    const { laws } = await verify(broken, FAST);
    const failing = laws.filter(({ status }) => status === "failed").map(({ id }) => id);
    expect(failing).toContain("ranges-exact");
    const expectedFailures = Object.fromEntries(failing.map((id) => [id, "ranges come later"]));
    const report = await verify(broken, { ...FAST, expectedFailures });
    expect(report.laws.filter(({ status }) => status === "failed")).toEqual([]);
    expect(report.laws.find(({ id }) => id === "ranges-exact")).toMatchObject({ reason: "ranges come later" });
    expect(report.levels.find(({ level }) => level === "objects")).toMatchObject({ status: "failed" });
  });

  it("fail when they are stale", async () => {
    const report = await verify(MEMORY_HARNESS, { ...FAST, expectedFailures: { "one-winner": "was broken once" } });
    expect(report.verdict).toBe("not conformant");
    expect(report.laws.find(({ id }) => id === "one-winner")).toMatchObject({ status: "stale" });
  });

  it("that name no law are refused", async () => {
    await expect(verify(MEMORY_HARNESS, { expectedFailures: { "one-looser": "" } })).rejects.toThrow(RangeError);
  });
});
