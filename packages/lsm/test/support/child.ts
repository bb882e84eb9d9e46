/** Starts and ends processes that hold a store. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { createInterface, type Interface } from "node:readline";
import { execPath } from "node:process";
import { changesOf, FENCE, markOf, SCOPE } from "./history.js";

/** A history as a child reads it. */
export async function writeHistory(path: string, last: number, options: object): Promise<void> {
  const deltas = Array.from({ length: last }, (_, index) => ({
    mark: markOf(index + 1),
    changes: changesOf(index + 1).map((change) =>
      change.kind === "put" ? { ...change, value: Buffer.from(change.value).toString("base64") } : change,
    ),
  }));
  await writeFile(path, JSON.stringify({ scope: SCOPE, fence: FENCE, options, deltas }));
}

/** A process that applies the history at `historyPath`. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  /** What it said so far. */
  readonly said: string[] = [];

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = child;
    this.#lines = createInterface(child.stdout);
    this.#lines.on("line", (line) => this.said.push(line));
  }

  static start(directory: string, historyPath: string): Child {
    const script = join(import.meta.dirname, "child.mjs");
    return new Child(spawn(execPath, [script, directory, historyPath], { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /** Resolves when it has said `line`. */
  async says(line: string): Promise<void> {
    while (!this.said.includes(line)) await once(this.#lines, "line");
  }

  async kill(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
  }
}
