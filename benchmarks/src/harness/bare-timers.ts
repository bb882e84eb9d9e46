/** The floor of timers: a binary heap of `{ time, key }` and a `Set` of texts. */

export interface BareTimer {
  readonly time: number;
  readonly key: string;
}

export class BareTimers {
  readonly #heap: BareTimer[] = [];
  readonly #known = new Set<string>();

  register(key: string, time: number): void {
    const name = `${time} ${key}`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.#heap.push({ time, key });
    this.#rise(this.#heap.length - 1);
  }

  /** The earliest, removed, if it is due. */
  poll(until: number): BareTimer | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.time > until) return undefined;
    const last = this.#heap.pop() as BareTimer;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.#known.delete(`${first.time} ${first.key}`);
    return first;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const timer = heap[from] as BareTimer;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as BareTimer).time <= timer.time) break;
      heap[at] = heap[above] as BareTimer;
      at = above;
    }
    heap[at] = timer;
  }

  #sink(): void {
    const heap = this.#heap;
    const timer = heap[0] as BareTimer;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const right = below + 1;
      if (right < heap.length && (heap[right] as BareTimer).time < (heap[below] as BareTimer).time) below = right;
      if ((heap[below] as BareTimer).time >= timer.time) break;
      heap[at] = heap[below] as BareTimer;
      at = below;
    }
    heap[at] = timer;
  }
}
