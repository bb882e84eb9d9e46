/** The kit tested as it tests others: what does nothing, or looks at nothing, must never pass. */

import { memoryStorage } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { ALL_LAWS } from "../src/laws/all-laws.js";
import { handleOn } from "../src/reference/handle-on.js";
import { MEMORY_HARNESS } from "../src/reference/memory-harness.js";
import type { StorageHarness } from "../src/runner/adapter-harness.js";
import { nullHarness } from "../src/runner/null-harness.js";
import { verify, verifyLaws } from "../src/runner/verify.js";
import { brokenHarness } from "./support/broken-harness.js";

const TIMEOUT_MS = 180_000;

describe("an adapter that keeps nothing", () => {
  it("fails every law of a storage", { timeout: TIMEOUT_MS }, async () => {
    const harness = { ...nullHarness({ durable: true, transactions: true }), contract: "storage" } as const;
    const { laws, verdict } = await verify(harness);
    expect(verdict).toBe("not conformant");
    expect(laws.filter(({ status }) => status !== "failed")).toEqual([]);
    expect(laws.length).toBeGreaterThan(40);
  });
});

describe("an adapter that always gives the same", () => {
  it("fails", { timeout: TIMEOUT_MS }, async () => {
    const constant: StorageHarness<undefined> = {
      name: "constant",
      contract: "storage",
      create: () => undefined,
      reopen: () => ({
        put: async () => "created",
        async *get() {
          yield Buffer.from("x");
        },
        async *list() {
          yield { name: "a", bytes: 1 };
        },
        remove: async () => {},
        close: async () => {},
      }),
    };
    const { laws, verdict } = await verify(constant, { only: ["objects", "checkpoints"] });
    expect(verdict).toBe("not conformant");
    const passed = laws.filter(({ status }) => status === "passed").map(({ id }) => id);
    // It does hold nothing, and has no transactions.
    expect(passed).toEqual(["handles-released", "transactions-declared"]);
  });
});

describe("a law that compares nothing", () => {
  it("is found out, and the kit is blamed", async () => {
    const blind = ALL_LAWS.map((law) => ({ ...law, run: async () => {} }));
    const { laws, verdict } = await verifyLaws(blind, MEMORY_HARNESS, { only: ["objects", "fencing"] });
    expect(verdict).toBe("not conformant");
    const ran = laws.filter(({ status }) => status !== "not run");
    expect(ran.length).toBeGreaterThan(25);
    expect(ran.filter(({ status, failure }) => status !== "failed" || failure?.culprit !== "kit")).toEqual([]);
  });

  it("is found out also if it does something", async () => {
    const blind = ALL_LAWS.map((law) => ({
      ...law,
      run: async (context: Parameters<typeof law.run>[0]) => law.run(context).catch(() => {}),
    }));
    const { laws } = await verifyLaws(blind, MEMORY_HARNESS, { only: ["CS3", "CS6", "CS7", "exactly-once"] });
    const ran = laws.filter(({ status }) => status !== "not run" && status !== "not claimed");
    expect(ran.filter(({ failure }) => failure?.culprit !== "kit")).toEqual([]);
  });
});

describe("hooks that do nothing", () => {
  const durable = { ...MEMORY_HARNESS, inapplicable: {}, capabilities: { durable: true } };
  const failureOf = async (harness: Parameters<typeof verify>[0], id: string) => {
    const { laws } = await verify(harness, { only: [id] });
    return laws.find((law) => law.id === id)?.failure;
  };

  it("a crash is noticed", async () => {
    const failure = await failureOf({ ...durable, crash: () => {} }, "crash-is-real");
    expect(failure).toMatchObject({ culprit: "harness" });
    expect(failure?.message).toContain("crash did nothing");
  });

  it("faults are noticed", async () => {
    const failure = await failureOf({ ...durable, faults: () => () => false }, "failures-are-honest");
    expect(failure?.message).toContain("the harness's hook does nothing");
  });

  it("a damage is noticed", async () => {
    const failure = await failureOf({ ...durable, corrupt: () => {} }, "damage-below-is-told");
    expect(failure?.message).toContain("mend the harness");
  });

  it("a reader of what lies below is noticed", async () => {
    const failure = await failureOf({ ...durable, readBack: () => undefined }, "read-back");
    expect(failure).toMatchObject({ culprit: "harness" });
  });
});

describe("a storage that loses what was acknowledged at a crash", () => {
  it("is caught by a program of few calls", async () => {
    const forgetful: StorageHarness<{ shared: ReturnType<typeof memoryStorage> }> = {
      name: "forgetful",
      contract: "storage",
      capabilities: { durable: true },
      create: () => ({ shared: memoryStorage() }),
      reopen: ({ shared }) => handleOn(shared),
      async crash(place, handle) {
        await handle.close();
        place.shared = memoryStorage();
      },
    };
    const { laws } = await verify(forgetful, { only: ["crashes"] });
    expect(laws.find(({ id }) => id === "crash-is-real")).toMatchObject({ status: "passed" });
    const failure = laws.find(({ id }) => id === "acknowledged-survives")?.failure;
    expect(failure?.program).toHaveLength(1);
    expect(failure?.program[0]).toMatch(/^storage: put /);
  });
});

describe("every law that is not of the harness", () => {
  const whats = [
    ["stores half of a segment", "checkpoints"],
    ["forgets ifAbsent and replaces", "objects"],
    ["says created of what exists", "objects"],
    ["lists all but the last object", "objects"],
    ["cuts what it reads", "objects"],
    ["removes the first object only", "objects"],
    ["removes everything that begins alike", "objects"],
    ["brings removed objects back", "objects"],
  ] as const;
  it.each(whats)("is broken by a storage that %s (%s)", { timeout: TIMEOUT_MS }, async (what, level) => {
    const { laws } = await verify(brokenHarness(what), { only: [level] });
    expect(laws.some(({ status }) => status === "failed")).toBe(true);
  });
});
