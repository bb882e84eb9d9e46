/** A worker process as its parent sees it. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type ParentMessage, URL_VARIABLE, type WorkerMessage, type WorkerSettings } from "./messages.js";

export interface WorkerEnd {
  readonly signal: NodeJS.Signals | null;
  /** Why the worker gave up, if it said so. */
  readonly failure: string | undefined;
}

export interface WorkerStart {
  readonly module: string;
  readonly settings: WorkerSettings;
  /** Of the server that it uses, if it uses one. */
  readonly url: string | undefined;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  /** Resolves when the process is gone and everything that it said has been heard. */
  readonly ended: Promise<WorkerEnd>;

  constructor({ module, settings, url }: WorkerStart, hear: (message: WorkerMessage) => void) {
    const env = url === undefined ? process.env : { ...process.env, [URL_VARIABLE]: url };
    // Not on our stdout, which may be for JSON only.
    this.#child = fork(module, [JSON.stringify(settings)], { env, stdio: ["ignore", 2, 2, "ipc"] });
    this.ended = this.#end(hear);
  }

  tell(message: ParentMessage): void {
    // A process that has just ended cannot be told: `ended` says so.
    this.#child.send(message, () => {});
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #end(hear: (message: WorkerMessage) => void): Promise<WorkerEnd> {
    let failure: string | undefined;
    this.#child.on("message", (message) => {
      const heard = message as WorkerMessage;
      if (heard.type === "failed") failure = heard.message;
      try {
        hear(heard);
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        this.kill();
      }
    });
    const [[, signal]] = (await Promise.all([once(this.#child, "exit"), once(this.#child, "disconnect")])) as [
      [number | null, NodeJS.Signals | null],
      unknown,
    ];
    return { signal, failure };
  }
}
