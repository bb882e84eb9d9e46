/** How long the event loop is kept from turning, seen in two ways at once. */

import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds. */
export interface LoopDelay {
  /** Between two ticks of a timer of 1 ms, as `monitorEventLoopDelay` has it: an idle loop shows a little more than 1. */
  readonly timerP99: number;
  readonly timerMax: number;
  /** The longest time from one turn of the loop to the next. */
  readonly turnMax: number;
}

const NS_PER_MS = 1e6;
/** So long the monitor runs before it counts: its first tick has nothing to compare with. */
const SETTLE_MS = 20;

/** Observes the loop while `work` is under way. */
export async function loopDelayDuring(work: () => Promise<unknown>): Promise<LoopDelay> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  monitor.reset();
  const turns = new TurnWatch();
  await work();
  const turnMax = turns.stop();
  // The tick that follows a long turn is counted too.
  await new Promise((resolve) => setTimeout(resolve, 2));
  monitor.disable();
  return { timerP99: monitor.percentile(99) / NS_PER_MS, timerMax: monitor.max / NS_PER_MS, turnMax };
}

class TurnWatch {
  #last = performance.now();
  #longest = 0;
  #isRunning = true;

  constructor() {
    setImmediate(() => this.#turn());
  }

  /** The longest turn so far. */
  stop(): number {
    this.#isRunning = false;
    return this.#longest;
  }

  #turn(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    if (this.#isRunning) setImmediate(() => this.#turn());
  }
}
