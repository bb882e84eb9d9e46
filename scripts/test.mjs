/**
 * Every gate, then every test: `npm test`. One gate or several: `npm test -- --only lint,types`.
 * Arguments besides are given to vitest: `npm test -- --only vitest packages/core`.
 *
 * Invariants:
 * - The last line is `N passed, N failed`, with `, N skipped` if any. A gate counts as one check, a test as one.
 * - The exit code is 1 if anything failed.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPacked } from "./packed.mjs";
import { captureTool, passThrough, toolPath } from "./processes.mjs";
import { SetupError, setup } from "./setup.mjs";

const gates = [
  { name: "format", run: () => captureTool("@biomejs/biome", "biome", ["format", "--colors=off", "."]) },
  { name: "lint", run: () => captureTool("eslint", "eslint", [".", "--max-warnings", "0"]) },
  { name: "types", run: () => captureTool("typescript", "tsc", ["-p", "tsconfig.check.json", "--pretty", "false"]) },
  { name: "tidy", run: async () => (await import("./tidy.mjs")).checkTidy() },
  { name: "knip", run: () => captureTool("knip", "knip", ["--no-progress", "--no-config-hints"]) },
  { name: "packed", run: checkPacked },
];

const { only, vitestArgs } = parseArguments(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };

// Nothing else can run without a build.
if (await runGate({ name: "build", run: checkBuild })) {
  for (const gate of gates.filter(({ name }) => isWanted(name))) await runGate(gate);
  if (isWanted("vitest")) await runVitest();
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

function isWanted(name) {
  return only === undefined || only.includes(name);
}

async function checkBuild() {
  try {
    await setup();
    return { code: 0, output: "" };
  } catch (error) {
    if (error instanceof SetupError) return { code: 1, output: error.message };
    throw error;
  }
}

/** Resolves with whether the gate passed. */
async function runGate({ name, run }) {
  const startMs = performance.now();
  const { code, output } = await run();
  if (code === 0) {
    total.passed += 1;
    process.stdout.write(`ok   ${name}  ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
  } else {
    total.failed += 1;
    process.stdout.write(`FAIL ${name}\n${output.trimEnd()}\n`);
  }
  return code === 0;
}

async function runVitest() {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  try {
    const report = join(directory, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await passThrough(process.execPath, [toolPath("vitest"), "run", ...reporters, ...vitestArgs]);
    addTests(code, existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A file that cannot be loaded counts as one failure, and so does an error outside any test. */
function addTests(code, report) {
  const files = report?.testResults ?? [];
  const unloaded = files.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  const failed = (report?.numFailedTests ?? 0) + unloaded;
  total.passed += report?.numPassedTests ?? 0;
  total.failed += code !== 0 && failed === 0 ? 1 : failed;
  total.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
}

function parseArguments(args) {
  const at = args.indexOf("--only");
  if (at === -1) return { only: undefined, vitestArgs: args };
  const known = [...gates.map(({ name }) => name), "vitest"];
  const names = (args[at + 1] ?? "").split(",");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`Unknown check. name=${unknown.join(",")} expected=${known.join(",")}.\n`);
    process.exit(2);
  }
  return { only: names, vitestArgs: args.toSpliced(at, 2) };
}
