/** Ctrl-C and SIGTERM: stop the processes, clean up, leave. */

const signals = ["SIGINT", "SIGTERM"] as const;

export class Interruption {
  readonly #signalled: Promise<never>;
  readonly #handler: (signal: NodeJS.Signals) => void;
  #stop: () => void = () => {};

  constructor() {
    let reject: (reason: Error) => void;
    this.#signalled = new Promise<never>((_resolve, rejected) => {
      reject = rejected;
    });
    this.#signalled.catch(() => {});
    this.#handler = (signal) => {
      this.#stop();
      reject(new Error(`Interrupted. signal=${signal}.`));
    };
    for (const signal of signals) process.on(signal, this.#handler);
  }

  /** What to stop when a signal comes. */
  onSignal(stop: () => void): void {
    this.#stop = stop;
  }

  /** `work`, or a rejection as soon as a signal comes. */
  async orEnd<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#signalled]);
  }

  end(): void {
    for (const signal of signals) process.off(signal, this.#handler);
  }
}
