/** Writes all forms of a report into a directory. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../runner/report.js";
import { badgeOf } from "./badge.js";
import { htmlOf } from "./html.js";
import { junitOf } from "./junit.js";
import { markdownOf } from "./markdown.js";

/** Names of the files, and what makes each. */
const FORMS: Readonly<Record<string, (report: Report) => string>> = {
  "report.json": (report) => `${JSON.stringify(report, undefined, 2)}\n`,
  "junit.xml": junitOf,
  "report.html": htmlOf,
  "summary.md": markdownOf,
  "badge.json": badgeOf,
};

/** Resolves to the paths of the files. The directory is made; files of these names are replaced. */
export async function writeReport(report: Report, directory: string): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const paths: string[] = [];
  for (const [name, form] of Object.entries(FORMS)) {
    const path = join(directory, name);
    await writeFile(path, form(report));
    paths.push(path);
  }
  return paths;
}
