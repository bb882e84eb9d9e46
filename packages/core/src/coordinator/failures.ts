/** What a job does when it cannot go on: it refuses all calls, and says why. */

import { isStateBackendError, StateBackendError } from "../errors.js";
import type { CheckpointListener } from "./listener.js";
import type { TaskRuntime } from "./task-runtime.js";

export class Failures {
  readonly #tasks: readonly TaskRuntime[];
  readonly #listener: CheckpointListener;
  #isPoisoned = false;
  #refusal: StateBackendError | undefined;

  constructor(tasks: readonly TaskRuntime[], listener: CheckpointListener) {
    this.#tasks = tasks;
    this.#listener = listener;
  }

  get isPoisoned(): boolean {
    return this.#isPoisoned;
  }

  /** Why no checkpoint may be published any more, not even one that had its barrier before. */
  get refusal(): StateBackendError | undefined {
    return this.#refusal;
  }

  /** Refuses all further calls of the tasks. */
  poison(cause: unknown): void {
    this.#isPoisoned = true;
    this.#refuse(refusalFor(cause));
  }

  /** The checkpoints themselves went wrong. */
  fail(cause: unknown): void {
    this.#refusal ??= refusalFor(cause);
    this.poison(cause);
  }

  /** The job is over: refuses all further calls, whatever was refused before. */
  close(): void {
    const closed = new StateBackendError("CLOSED", "The task is closed. Open it again to go on.");
    for (const { epoch } of this.#tasks) epoch.refusal = undefined;
    this.#refuse(closed);
  }

  /** What a listener throws is its own failure, not the checkpoint's. */
  tell(call: (listener: CheckpointListener) => void): void {
    try {
      call(this.#listener);
    } catch (error) {
      this.fail(error);
    }
  }

  #refuse(refusal: StateBackendError): void {
    for (const { epoch } of this.#tasks) epoch.refusal ??= refusal;
    for (const task of this.#tasks) task.stop();
  }
}

export function isFenced(error: unknown): error is StateBackendError {
  return isStateBackendError(error) && error.code === "FENCED";
}

function refusalFor(cause: unknown): StateBackendError {
  if (isFenced(cause)) return cause;
  return new StateBackendError(
    "POISONED",
    "The task failed in a way after which its state cannot be trusted. Close it and restore the latest checkpoint.",
    { cause },
  );
}
