/** What a law called and what came of it: the program of a failure that has no generated one. */

import type { Blame } from "./blame.js";

const LINES_MAX = 60;

export class CallTrace {
  #lines: string[] = [];
  #dropped = 0;
  /** The first fault that is no breach of a law, also if core or a program took it for another one. */
  blame: Blame | undefined;

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) {
      this.#lines.shift();
      this.#dropped++;
    }
  }

  clear(): void {
    this.#lines = [];
    this.#dropped = 0;
  }

  /** In the order in which the calls ended; the last `LINES_MAX`. */
  get lines(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [`(${this.#dropped} earlier calls)`, ...this.#lines];
  }
}
