/** Counts what a property has done, so that a blind spot shows. */

export class Coverage {
  readonly #counts = new Map<string, number>();
  readonly #transitions = new Map<string, number>();
  #last: string | undefined;

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    if (this.#last !== undefined) {
      const transition = `${this.#last} → ${what}`;
      this.#transitions.set(transition, (this.#transitions.get(transition) ?? 0) + 1);
    }
    this.#last = what;
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** How often each thing was followed by each other; a program follows the one before it. */
  get transitions(): ReadonlyMap<string, number> {
    return this.#transitions;
  }

  /** One line for each thing, ascending by name. */
  get report(): string {
    const lines = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    return lines.join("\n");
  }
}
