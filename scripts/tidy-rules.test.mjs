import { describe, expect, test } from "vitest";
import { violationsOf } from "./tidy-rules.mjs";
import { lineCountMax } from "./tidy-tables.mjs";

const caught = [
  ["file-name", "packages/core/src/key/BinaryKey.ts", ""],
  ["unfinished", "packages/core/src/key/a.ts", "// TODO: finish\nexport const a = 1;"],
  ["unfinished", "packages/core/src/key/a.ts", "/** FIXME */\nexport const a = 1;"],
  ["skipped-test", "packages/core/src/key/a.test.ts", 'test.skip("a", () => {});'],
  ["skipped-test", "packages/core/test/a.test.ts", '// Why.\ntest.only("a", () => {});'],
  ["any", "examples/flights/src/a.ts", "export const a: any = 1;"],
  ["any", "packages/memory/test/a.test.ts", "const a = b as any;"],
  ["default-export", "packages/memory/src/a.ts", "export default function a() {}"],
  ["default-export", "packages/memory/src/a.ts", "const a = 1;\nexport { a as default };"],
  ["default-export", "conformance/src/a.ts", "export default 1;"],
  ["workspace-import", "packages/memory/src/a.ts", 'import "@tidemark/filesystem";'],
  ["workspace-import", "packages/memory/src/a.ts", 'import "@tidemark/conformance";'],
  ["workspace-import", "packages/memory/src/a.ts", 'import "@tidemark/core/dist/a.js";'],
  ["workspace-import", "packages/memory/src/a.ts", 'export * from "../../core/src/index.js";'],
  ["workspace-import", "packages/memory/src/a.ts", 'import "../../../scripts/services/a.mjs";'],
  ["workspace-import", "packages/core/src/key/a.ts", 'import "@tidemark/memory";'],
  ["workspace-import", "conformance/src/a.ts", 'import "@tidemark/memory";'],
  ["workspace-import", "examples/flights/src/a.ts", 'import "@tidemark/conformance";'],
  ["core-layer", "packages/core/src/errors.ts", 'import type { A } from "./contracts/a.js";'],
  ["core-layer", "packages/core/src/contracts/a.ts", 'const a = await import("../segment/a.js");'],
  ["core-layer", "packages/core/src/segment/a.ts", 'export type A = import("../table/a.js").A;'],
  ["core-layer", "packages/core/src/elsewhere/a.ts", ""],
  ["core-dependency", "packages/core/src/codec/a.ts", 'import { pack } from "msgpackr";'],
  ["builtin-owner", "packages/filesystem/src/a.ts", 'import { open } from "node:fs/promises";'],
  ["clock", "packages/memory/src/a.ts", "export const a = Date.now();"],
  ["clock", "packages/memory/src/a.ts", "export const a = new Date();"],
  ["clock", "packages/memory/src/a.ts", "export const a = Date();"],
  ["clock", "packages/memory/src/a.ts", "export const a = Math.random;"],
  ["clock", "packages/memory/src/a.ts", "export const a = globalThis.performance.now();"],
  ["clock", "packages/memory/src/a.ts", "setTimeout(a, 1);"],
  ["clock", "packages/memory/src/a.ts", "globalThis.setImmediate(a);"],
  ["clock", "packages/memory/src/a.ts", 'import { randomUUID as id } from "node:crypto";'],
  ["clock", "packages/memory/src/a.ts", "crypto.getRandomValues(a);"],
  ["clock", "conformance/src/a.ts", 'import { setTimeout as sleep } from "node:timers/promises";'],
];

const passed = [
  ["packages/core/src/clock.ts", 'import { randomBytes } from "node:crypto";\nexport const a = Date.now();'],
  ["packages/core/src/table/a.ts", 'import { a } from "../segment/a.js";\nimport { b } from "./b.js";'],
  ["packages/core/src/table/a.test.ts", 'import { a } from "../task/a.js";\nexport const b = Date.now();'],
  ["packages/memory/src/a.ts", 'import { a } from "@tidemark/core";\nexport const b = new Date(a);'],
  ["packages/memory/src/a.ts", "export const text = 'Date.now() TODO any';\nexport const now = () => clock.now();"],
  ["packages/memory/src/a.ts", "export const a = { setTimeout: 1 };\nexport const b = a.setTimeout;"],
  ["packages/memory/test/a.test.ts", 'import { verify } from "@tidemark/conformance";'],
  ["packages/memory/test/a.test.ts", '// Needs a disk that lies.\ntest.skip("a", () => {});'],
  ["packages/filesystem/src/node-files.ts", 'import { open } from "node:fs/promises";'],
  ["examples/flights/src/a.ts", 'import "@tidemark/filesystem";\nexport default Date.now();'],
];

describe("tidy", () => {
  test.each(caught)("%s refuses %s: %j", (rule, path, text) => {
    const rules = violationsOf(path, text).map((violation) => violation.rule);
    expect([...new Set(rules)]).toEqual([rule]);
  });

  test.each(passed)("lets pass %s: %j", (path, text) => {
    expect(violationsOf(path, text)).toEqual([]);
  });

  test("line-count refuses the line after the last", () => {
    const path = "packages/core/src/key/a.ts";
    const text = "export const a = 1;\n".repeat(lineCountMax);
    expect(violationsOf(path, text)).toEqual([]);
    expect(violationsOf(path, `${text}export const b = 1;\n`)[0]?.rule).toBe("line-count");
  });

  test("names the line", () => {
    expect(violationsOf("packages/memory/src/a.ts", "\n\nexport const a = Date.now();")[0]?.line).toBe(3);
  });
});
