/** The smallest of numbers: a binary heap. */

export class TimeHeap {
  #times: number[] = [];

  get length(): number {
    return this.#times.length;
  }

  /** The smallest, or `undefined` if there is none. */
  get top(): number | undefined {
    return this.#times[0];
  }

  push(time: number): void {
    const times = this.#times;
    let at = times.length;
    times.push(time);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = times[parent] as number;
      if (above <= time) break;
      times[at] = above;
      at = parent;
    }
    times[at] = time;
  }

  /** Removes the smallest. */
  pop(): void {
    const times = this.#times;
    const last = times.pop();
    if (last === undefined || times.length === 0) return;
    let at = 0;
    for (let child = 1; child < times.length; child = 2 * at + 1) {
      if (child + 1 < times.length && (times[child + 1] as number) < (times[child] as number)) child++;
      if ((times[child] as number) >= last) break;
      times[at] = times[child] as number;
      at = child;
    }
    times[at] = last;
  }

  /** Replaces the content. */
  reset(times: Iterable<number>): void {
    // Ascending numbers are a heap.
    this.#times = [...Float64Array.from(times).sort()];
  }
}
