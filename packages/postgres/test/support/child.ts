/** Starts and ends processes that run a job. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";

export class Child {
  readonly #process: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: Interface;
  /** What it said so far. */
  readonly said: string[] = [];

  private constructor(child: ChildProcessByStdio<null, Readable, null>) {
    this.#process = child;
    this.#lines = createInterface(child.stdout);
    this.#lines.on("line", (line) => this.said.push(line));
  }

  static start(url: string, schema: string, name = "child.mjs"): Child {
    const script = join(import.meta.dirname, name);
    return new Child(spawn(execPath, [script, url, schema], { stdio: ["ignore", "pipe", "inherit"] }));
  }

  /** Resolves when it has said so many lines. */
  async says(lines: number): Promise<void> {
    while (this.said.length < lines) await once(this.#lines, "line");
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(name);
  }

  async kill(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
  }
}
