/** Runs the built command as its users do. */

import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the command left behind in the place for temporary files. */
  readonly leftovers: readonly string[];
}

export interface RunSetup {
  /** A module to run instead of the command itself. */
  readonly script?: string;
  /** Sent when something has been printed. */
  readonly signal?: NodeJS.Signals;
  /** Variables of the environment, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function runMain(args: readonly string[], setup: RunSetup = {}): Promise<Finished> {
  const temp = await mkdtemp(join(tmpdir(), "flights-test-"));
  try {
    // Servers that refuse to be root's have their place in it.
    await chmod(temp, 0o755);
    const ended = await spawned([setup.script ?? pathOf("../dist/main.js"), ...args], temp, setup);
    return { ...ended, leftovers: await readdir(temp) };
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

function spawned(
  args: readonly string[],
  temp: string,
  { signal, env = {} }: RunSetup,
): Promise<Omit<Finished, "leftovers">> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env, TMPDIR: temp, TEMP: temp },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (signal !== undefined) child.kill(signal);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
