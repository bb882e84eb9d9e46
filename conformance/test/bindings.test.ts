/** The bindings register one test for each law, in the real framework where there is one. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Globals, globalFramework } from "../src/bindings/global-framework.js";
import { registerLaws } from "../src/bindings/register-laws.js";
import { MEMORY_HARNESS } from "../src/reference/memory-harness.js";
import { brokenHarness } from "./support/broken-harness.js";

const package_ = fileURLToPath(new URL("..", import.meta.url));

/** A framework that keeps what it is given. */
function collector() {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  const skipped: string[] = [];
  const groups: string[] = [];
  const framework = {
    group(name: string, register: () => void) {
      groups.push(name);
      register();
    },
    test: (name: string, run: () => Promise<void>) => void tests.push({ name, run }),
    skipped: (name: string) => void skipped.push(name),
  };
  return { framework, tests, skipped, groups };
}

describe("registering", () => {
  it("names clauses, ids and titles, and leaves out what is not claimed", () => {
    const { framework, tests, groups, skipped } = collector();
    registerLaws(framework, MEMORY_HARNESS);
    expect(groups).toEqual(["memory keeps the contract"]);
    expect(tests.map(({ name }) => name)).toContain(
      "CS3 one-winner: One of 32 concurrent creates wins, and the object is that one's",
    );
    expect(tests.some(({ name }) => name.includes("acknowledged-survives"))).toBe(false);
    expect(skipped).toEqual([]);
  });

  it("shows as skipped what the harness has no hook for", () => {
    const { framework, skipped } = collector();
    registerLaws(framework, { ...MEMORY_HARNESS, capabilities: { durable: true } }, { only: ["crashes"] });
    expect(skipped).toHaveLength(3);
    expect(skipped[0]).toMatch(/the harness has no crash$/);
  });

  it("makes a failing test of a law that is broken", async () => {
    const { framework, tests } = collector();
    registerLaws(framework, brokenHarness("cuts what it reads"), { only: ["any-calls"] });
    await expect(tests[0]?.run()).rejects.toThrow(/Smallest program that fails[^]*Again:/);
  });

  it("tells of a harness that cannot be used at once", async () => {
    const { framework, tests } = collector();
    const create = (): never => {
      throw new Error("no server");
    };
    registerLaws(framework, { ...MEMORY_HARNESS, create });
    await expect(tests[5]?.run()).rejects.toThrow(/create of the harness failed\. error=Error: no server/);
    expect(() => registerLaws(framework, { ...MEMORY_HARNESS, name: "" })).toThrow(/The harness is not one/);
  });
});

describe("frameworks with globals", () => {
  it("are given the time of each test in both ways", async () => {
    const timeouts: unknown[] = [];
    const scope: Globals = {
      describe: (_, register) => register(),
      it: Object.assign(
        (_: string, run: (this: { timeout(ms: number): void }) => Promise<void>, timeoutMs?: number) => {
          timeouts.push(timeoutMs);
          void run.call({ timeout: (ms) => void timeouts.push(ms) });
        },
        { skip: () => {} },
      ),
    };
    globalFramework("mocha", scope).test("a law", async () => {}, 5_000);
    expect(timeouts).toEqual([5_000, 5_000]);
  });

  it("say so outside of a test file", () => {
    expect(() => globalFramework("jest", {})).toThrow(/There is no describe and no it\. framework=jest/);
  });
});

describe("node --test", () => {
  it("runs the laws", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(package_, "node_modules", ".node-test-"));
    try {
      writeFileSync(
        join(folder, "kit.test.mjs"),
        'import { MEMORY_HARNESS } from "../../dist/index.js";\nimport { conformance } from "../../dist/bindings/node-test.js";\nconformance(MEMORY_HARNESS, { only: ["CS1"] });\n',
      );
      const args = ["--test", "--test-reporter=tap", "kit.test.mjs"];
      // Else the inner runner would report to the outer one.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const stdout = await new Promise<string>((resolve) =>
        execFile(process.execPath, args, { cwd: folder, env }, (__, text) => resolve(text)),
      );
      expect(stdout).toMatch(/^# pass 4$/m);
      expect(stdout).toMatch(/^# fail 0$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
