/** The command as it is installed: its exit codes, what it prints, what it writes. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../src/runner/report.js";

const package_ = fileURLToPath(new URL("..", import.meta.url));
const main = join(package_, "dist", "cli", "main.js");
const TIMEOUT_MS = 60_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

let folder = "";

/** A module beside the kit, so that it finds core. */
function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}

const SOUND = `
import { MEMORY_HARNESS } from "../../dist/index.js";
export const harness = { ...MEMORY_HARNESS, name: "sound <b>&" };
`;

const BROKEN = `
import { MEMORY_HARNESS } from "../../dist/index.js";
export const harness = { ...MEMORY_HARNESS, name: "broken", reopen: (place) => {
  const sound = MEMORY_HARNESS.reopen(place);
  return { ...sound, remove: (names) => sound.remove(names.slice(0, 1)) };
} };
`;

beforeAll(() => {
  folder = mkdtempSync(join(package_, "node_modules", ".cli-test-"));
  write("package.json", '{ "type": "module" }');
  write("sound.js", SOUND);
  write("broken.js", BROKEN);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("verify", () => {
  it("of a part that holds exits with 0 and says that it is a part", { timeout: TIMEOUT_MS }, async () => {
    const { code, stdout, stderr } = await run("verify", "./sound.js", "--only", "CS3");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^Part of a run: 4 of \d+ laws passed/);
    expect(stderr).toMatch(/^passed +one-winner {2}\d/m);
    expect(code).toBe(0);
  });

  it("of what does not hold exits with 1, with a program and a command that shows it again", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { code, stdout } = await run("verify", "./broken.js", "--only", "any-calls", "--seed", "5");
    expect(code).toBe(1);
    expect(stdout).toContain("Smallest program that fails");
    const [, command = ""] = /^ +npx tidemark-conformance (.*)$/m.exec(stdout) ?? [];
    const again = await run(...command.split(" "));
    expect(again.code).toBe(1);
    const programOf = (text: string): string =>
      text.slice(text.indexOf("Smallest"), text.indexOf("Again:")).replace(/\d+ times/, "");
    expect(programOf(again.stdout).split("\n").slice(1)).toEqual(programOf(stdout).split("\n").slice(1));
  });

  it("prints JSON and nothing else with --json", { timeout: TIMEOUT_MS }, async () => {
    const { code, stdout, stderr } = await run("verify", "./sound.js", "--json", "--only", "CS1");
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({
      schema: "tidemark-conformance-report/1",
      adapter: "sound <b>&",
      verdict: "incomplete",
    });
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("writes every form of the report", { timeout: TIMEOUT_MS }, async () => {
    const { stderr } = await run("verify", "./broken.js", "--only", "CS8", "--report", "out/report");
    const read = (name: string): string => readFileSync(join(folder, "out", "report", name), "utf8");
    expect(stderr.match(/^wrote /gm)).toHaveLength(5);
    expect((JSON.parse(read("report.json")) as Report).verdict).toBe("not conformant");
    expect(read("junit.xml")).toMatch(
      /<testcase classname="tidemark.objects" name="CS8 removes-many: [^"]*" time="[\d.]+"><failure type="failed"/,
    );
    expect(read("summary.md")).toMatch(/^### Failed: removes-named$/m);
    expect(read("badge.json")).toContain('"message": "not conformant"');
    const page = read("report.html");
    expect(page).toContain("<h1>broken</h1>");
    expect(page).toContain("The smallest program that fails");
    expect(page).not.toMatch(/<script|https?:|<link|@import|url\(/);
  });

  it("escapes names in every form", { timeout: TIMEOUT_MS }, async () => {
    await run("verify", "./sound.js", "--only", "bad-names", "--report", "escaped");
    const read = (name: string): string => readFileSync(join(folder, "escaped", name), "utf8");
    expect(read("report.html")).toContain("<h1>sound &lt;b&gt;&amp;</h1>");
    expect(read("junit.xml")).toContain('name="sound &lt;b&gt;&amp;"');
    expect(read("summary.md")).toContain("sound &lt;b>&:");
  });

  it("fails when an expected failure is stale", { timeout: TIMEOUT_MS }, async () => {
    write("expected.json", '{ "removes-named": "later", "removes-many": "later" }');
    const accepted = await run(
      "verify",
      "./broken.js",
      "--only",
      "removes-named,removes-many",
      "--expect",
      "expected.json",
    );
    expect(accepted.code).toBe(0);
    const stale = await run("verify", "./sound.js", "--only", "removes-named", "--expect", "expected.json");
    expect(stale).toMatchObject({ code: 1 });
    expect(stale.stdout).toContain("removes-named: it passes, and was expected to fail: later");
  });
});

describe("a wrong command exits with 2 and says what is right", () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /^No such command\. found=nothing\./],
    [["check"], /^No such command\. found=check\./],
    [["verify"], /^verify takes one module\. found=0\./],
    [["verify", "./none.js"], /^There is no such module\. path=/],
    [["verify", "./sound.js", "--profile", "slow"], /^No such profile\. found=slow expected=quick\|full\|soak\./],
    [["verify", "./sound.js", "--seed", "x"], /^--seed takes an integer\. found=x\./],
    [["verify", "./sound.js", "--path", "1:2"], /^--path replays a case of one law\./],
    [["verify", "./sound.js", "--only", "no-law"], /^No law has that name\. name=no-law\./],
    [["verify", "./sound.js", "--fast"], /Unknown option '--fast'/],
    [["verify", "./sound.js", "--export", "other"], /has no such export\. name=other found=harness\./],
    [["verify", "./sound.js", "--expect", "none.json"], /^The file of expected failures cannot be read\./],
    [["verify", "./two.js"], /exports no harness\. found=one, two\./],
    [["verify", "./throws.js"], /^The module of the harness cannot be loaded\. .*error=Error: no configuration\./],
    [["verify", "./empty.js"], /The harness is not one\. field=name/],
  ];
  it.each(cases)("%j", { timeout: TIMEOUT_MS }, async (args, expected) => {
    write("two.js", "export const one = {}, two = {};");
    write("throws.js", 'throw new Error("no configuration");');
    write("empty.js", "export const harness = {};");
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/^ +at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("also for a second copy of core", { timeout: TIMEOUT_MS }, async () => {
    const copy = mkdtempSync(join(folder, "copy-"));
    const core = join(copy, "node_modules", "@tidemark", "core");
    const { mkdir } = await import("node:fs/promises");
    await mkdir(core, { recursive: true });
    writeFileSync(
      join(core, "package.json"),
      '{ "name": "@tidemark/core", "version": "0.0.1", "exports": { "./package.json": "./package.json" } }',
    );
    writeFileSync(join(copy, "harness.mjs"), "export const harness = {};");
    const { code, stderr } = await run("verify", join(copy, "harness.mjs"));
    expect(stderr).toMatch(/^The harness imports its own copy of @tidemark\/core\. .*\(0\.0\.1\)/);
    expect(code).toBe(2);
  });
});

describe("mutants", () => {
  it("are all killed, and the last line says so", { timeout: 180_000 }, async () => {
    const { code, stdout } = await run("mutants");
    const lines = stdout.trimEnd().split("\n");
    const [, killed, all] = /^mutants killed: (\d+)\/(\d+)$/.exec(lines.at(-1) ?? "") ?? [];
    expect(killed).toBe(all);
    expect(Number(all)).toBe(lines.length - 3);
    const [, median] = /^smallest programs: \d+, median (\d+) lines/.exec(lines.at(-2) ?? "") ?? [];
    expect(Number(median)).toBeLessThanOrEqual(10);
    expect(lines[0]).toMatch(/^mutant +law +to kill +seconds +smallest program$/);
    expect(code).toBe(0);
  });
});

describe("laws and help", () => {
  it("list every law with its level", async () => {
    const { code, stdout } = await run("laws");
    expect(stdout).toMatch(/^any-calls +objects +Any program of calls/m);
    expect(code).toBe(0);
    const laws = JSON.parse((await run("laws", "--json")).stdout) as readonly { readonly id: string }[];
    expect(new Set(laws.map(({ id }) => id)).size).toBe(laws.length);
  });

  it("explain the options", async () => {
    const { code, stdout } = await run("--help");
    expect(stdout).toContain("--profile quick|full|soak");
    expect(code).toBe(0);
  });
});
