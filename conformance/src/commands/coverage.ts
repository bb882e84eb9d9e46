/** Counts what a property has done, so that a blind spot shows. */

export class Coverage {
  readonly #counts = new Map<string, number>();
  /** Of each thing, what followed it. Joined when somebody asks: millions are counted. */
  readonly #followers = new Map<string, Map<string, number>>();
  #last: Map<string, number> | undefined;
  /** How many commands of programs have run. */
  commands = 0;

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    this.#last?.set(what, (this.#last.get(what) ?? 0) + 1);
    this.#last = this.#followers.get(what);
    if (this.#last !== undefined) return;
    this.#last = new Map();
    this.#followers.set(what, this.#last);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** How often each thing was followed by each other; a program follows the one before it. */
  get transitions(): ReadonlyMap<string, number> {
    const transitions = new Map<string, number>();
    for (const [first, followers] of this.#followers) {
      for (const [second, count] of followers) transitions.set(`${first} → ${second}`, count);
    }
    return transitions;
  }

  /** One line for each thing, ascending by name. */
  get report(): string {
    const lines = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    return lines.join("\n");
  }
}
