/** Holds docs/contract.md against the tests: every clause is quoted by one, and every semantic of Flink's is accounted for. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./processes.mjs";
import { workspaceFolders } from "./setup.mjs";

const contract = readFileSync(join(root, "docs", "contract.md"), "utf8");
const [clausesText, coverageText = ""] = contract.split("## Coverage of Flink's tests");

/** The ids of the list of what Flink's tests pin: families with the runs of numbers that are given. */
const FLINK_IDS = {
  K: "1-8 10-18 20-27 30-36 40-48 50-51 60-76 80-86 90-102",
  A: "1-4 10-27",
  M: "1-32 40-49",
  T: "1-20",
  Q: "1-27",
  O: "1-25",
  G: "1-17",
  H: "1-11",
  S: "1-45",
  F: "1-16",
  R: "1-38",
  C: "1-54",
  X: "1-15",
};

const SHARE_MIN = 0.95;

const clauses = [...clausesText.matchAll(/^\| ((?:S|CS|T)\d+) \|/gm)].map(([, clause]) => clause);
const rows = [...coverageText.matchAll(/^\| ([A-Z]\d+(?:, [A-Z]\d+)*) \| (.+) \|$/gm)].flatMap(([, ids, answer]) =>
  ids.split(", ").map((id) => ({ id, answer })),
);
const answers = new Map(rows.map(({ id, answer }) => [id, answer]));

function allIds() {
  return Object.entries(FLINK_IDS).flatMap(([family, runs]) =>
    runs.split(" ").flatMap((run) => {
      const [first, last = first] = run.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => `${family}${String(first + i).padStart(2, "0")}`);
    }),
  );
}

const named = (answer) => (/^(n\/a|not yet): ./.test(answer) ? [] : answer.split(", "));

/** What the names of all tests and the clauses of all laws say, each as the text between the quotes. */
function quotedByTests() {
  const names = workspaceFolders().flatMap((folder) => {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.name.endsWith(".test.ts") || (folder === "conformance" && isLaw(file)))
      .filter((file) => !file.parentPath.includes("node_modules"))
      .flatMap((file) => {
        const text = readFileSync(join(file.parentPath, file.name), "utf8");
        return [...text.matchAll(/["'`](?=[^"'`\n]*\b(?:S|CS|T)\d+\b)([^"'`\n]*)["'`]/g)].map(([, name]) => name);
      });
  });
  return new Set(names.flatMap((name) => name.match(/\b(?:S|CS|T)\d+\b/g) ?? []));
}

function isLaw({ name, parentPath }) {
  return name.endsWith(".ts") && parentPath.startsWith(join(root, "conformance", "src", "laws"));
}

describe("the contract", () => {
  test("gives no number twice", () => {
    expect(clauses.length).toBeGreaterThan(60);
    expect(new Set(clauses).size).toBe(clauses.length);
  });

  test("is quoted, clause by clause, by the names of tests", () => {
    const quoted = quotedByTests();
    expect(clauses.filter((clause) => !quoted.has(clause))).toEqual([]);
  });
});

describe("the coverage of Flink's tests", () => {
  test("has every id once", () => {
    expect(rows.map(({ id }) => id).sort()).toEqual(allIds().sort());
  });

  test("names clauses that exist, or says why not", () => {
    const known = new Set(clauses);
    const wrong = rows.filter(({ answer }) => {
      const given = named(answer);
      return given.length === 0 ? !/^(n\/a|not yet): \S/.test(answer) : given.some((clause) => !known.has(clause));
    });
    expect(wrong).toEqual([]);
  });

  test("leaves at most one in twenty of what applies for later", () => {
    const applicable = [...answers.values()].filter((answer) => !answer.startsWith("n/a"));
    const covered = applicable.filter((answer) => !answer.startsWith("not yet"));
    expect(covered.length / applicable.length).toBeGreaterThanOrEqual(SHARE_MIN);
  });
});
