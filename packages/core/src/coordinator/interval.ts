/** Triggers automatic checkpoints. */

import type { Clock, Timer } from "../contracts/clock.js";
import type { Coordinator } from "./coordinator.js";
import type { CheckpointSettings } from "./options.js";

export class IntervalTrigger {
  readonly #coordinator: Coordinator;
  readonly #settings: CheckpointSettings;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(coordinator: Coordinator, settings: CheckpointSettings, clock: Clock) {
    this.#coordinator = coordinator;
    this.#settings = settings;
    this.#clock = clock;
    if (settings.intervalMs > 0) this.#schedule(settings.intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.schedule(delayMs, () => {
      void this.#trigger();
    });
  }

  async #trigger(): Promise<void> {
    const { intervalMs, minPauseMs, concurrentMax } = this.#settings;
    const started = this.#clock.monotonic();
    // As many as may be are under way, perhaps by hand: this one is left out.
    const run = this.#coordinator.isBusy ? undefined : this.#coordinator.automatic();
    if (concurrentMax === 1) await run;
    const tookMs = this.#clock.monotonic() - started;
    this.#schedule(Math.max(minPauseMs, intervalMs - tookMs));
  }
}
