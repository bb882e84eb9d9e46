/** Waiting in tests, without time. */

import { systemClock } from "../../src/index.js";

/** A promise that is resolved from outside. */
export class Gate {
  readonly opened: Promise<void>;
  #open!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** Lets everything that waits for nothing outside come to rest. */
export async function atRest(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await systemClock.yield();
}
