/** The storage as its author tests it: by the command of the kit, as a package. */

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@tidemark/conformance";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const example = fileURLToPath(new URL("..", import.meta.url));
const kit = dirname(createRequire(import.meta.url).resolve("@tidemark/conformance/package.json"));
const TIMEOUT_MS = 180_000;

interface Ended {
  readonly code: number;
  readonly report: Report;
  readonly stderr: string;
}

function verify(module: string, ...options: readonly string[]): Promise<Ended> {
  const args = [join(kit, "dist", "cli", "main.js"), "verify", module, "--json", ...options];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: example, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      try {
        resolve({ code: Number(error?.code ?? 0), report: JSON.parse(stdout) as Report, stderr });
      } catch (cause) {
        reject(new Error(`No report. stderr=${stderr}`, { cause }));
      }
    });
  });
}

test("the storage is conformant", { timeout: TIMEOUT_MS }, async () => {
  const { code, report } = await verify("./dist/harness.js");
  expect(report.laws.flatMap(({ failure }) => failure ?? [])).toEqual([]);
  expect(report.summary).toMatch(/^Conformant: objects, checkpoints, fencing, damage, crashes/);
  expect(code).toBe(0);
});

/** Changes of one place in the storage, and what the kit makes of each. */
const MUTATIONS = [
  {
    what: "a body is cut at 64 KiB",
    file: "collect.js",
    from: "Uint8Array.from(chunk)",
    to: "Uint8Array.from(chunk.subarray(0, 65536))",
    program: /^storage: put .*, (65537|200000) bytes/,
  },
  { what: "other bytes are accepted", from: "stored.equals(bytes)", to: "true", program: /put/ },
  {
    what: "a removal ends at the first",
    from: "for (const path of paths)\n",
    to: "for (const path of paths.slice(0, 1))\n",
    program: /remove .*, /,
  },
  {
    what: "a listing is not recursive",
    from: "recursive: true, withFileTypes",
    to: "withFileTypes",
    program: /list|put/,
  },
];

describe("a storage of which one line was changed is caught, by a small program", () => {
  let directory = "";
  beforeAll(async () => {
    // Inside the example, where its packages are found.
    directory = await mkdtemp(join(example, "node_modules", ".mutants-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test.each(MUTATIONS)(
    "$what",
    { timeout: TIMEOUT_MS },
    async ({ what, file = "folder-storage.js", from, to, program }) => {
      const copy = join(directory, what.replaceAll(" ", "-"));
      await cp(join(example, "dist"), copy, { recursive: true });
      const path = join(copy, file);
      const source = await readFile(path, "utf8");
      expect(source.split(from)).toHaveLength(2);
      await writeFile(path, source.replace(from, to));

      const { code, report } = await verify(join(copy, "harness.js"), "--only", "any-calls");
      expect(code).toBe(1);
      const failure = report.laws.find(({ id }) => id === "any-calls")?.failure;
      expect(failure?.program.length).toBeLessThanOrEqual(3);
      expect(failure?.program.join("\n")).toMatch(program);

      const again = await verify(
        join(copy, "harness.js"),
        ..."--only any-calls --seed".split(" "),
        `${failure?.seed}`,
        "--path",
        `${failure?.path}`,
      );
      expect(again.report.laws.find(({ id }) => id === "any-calls")?.failure?.program).toEqual(failure?.program);
    },
  );
});
