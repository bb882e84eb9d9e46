import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

test("T106 a subscriber that throws changes nothing for the job", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-metrics-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const script = fileURLToPath(new URL("throwing-subscriber.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, directory]);
  expect(JSON.parse(stdout)).toEqual({
    statuses: ["completed", "completed"],
    count: 2,
    uncaught: ["checkpoint:end", "checkpoint:start", "checkpoint:subsumed", "memory", "restore", "state:access"],
  });
});
