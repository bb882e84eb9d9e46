/**
 * Counts what a property has done, so that a blind spot shows.
 *
 * Invariants:
 * - Each thing has a number, in the order in which things came up; counts are kept by number, since millions are counted.
 */

export class Coverage {
  readonly #numbers = new Map<string, number>();
  readonly #counts: number[] = [];
  /** Of each thing, how often each other has followed it. */
  readonly #followers: number[][] = [];
  /** What the next thing follows; none has before the first. */
  #last: number[] = [];
  /** How many commands of programs have run. */
  commands = 0;

  count(what: string): void {
    const number = this.#numbers.get(what) ?? this.#add(what);
    this.#counts[number] = (this.#counts[number] ?? 0) + 1;
    this.#last[number] = (this.#last[number] ?? 0) + 1;
    this.#last = this.#followers[number] as number[];
  }

  get counts(): ReadonlyMap<string, number> {
    return new Map([...this.#numbers].map(([what, number]) => [what, this.#counts[number] ?? 0]));
  }

  /** How often each thing was followed by each other; a program follows the one before it. */
  get transitions(): ReadonlyMap<string, number> {
    const names = [...this.#numbers.keys()];
    const transitions = new Map<string, number>();
    for (const [first, followers] of this.#followers.entries()) {
      for (const [second, count] of followers.entries()) {
        if (count > 0) transitions.set(`${names[first]} → ${names[second]}`, count);
      }
    }
    return transitions;
  }

  /** One line for each thing, ascending by name. */
  get report(): string {
    const lines = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    return lines.join("\n");
  }

  #add(what: string): number {
    const number = this.#numbers.size;
    this.#numbers.set(what, number);
    // Rows without holes are read and written faster.
    for (const row of [...this.#followers, this.#counts]) while (row.length <= number) row.push(0);
    this.#followers.push(Array.from({ length: number + 1 }, () => 0));
    return number;
  }
}
