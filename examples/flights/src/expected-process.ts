/** Runs the plain computation beside the job. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ExpectedWork } from "./expected-state.js";
import type { StateDigest } from "./state-digest.js";

const module = new URL("./expected-main.js", import.meta.url);

export class ExpectedProcess {
  readonly #child: ChildProcess;
  readonly #result: Promise<StateDigest>;

  constructor({ events, daily }: ExpectedWork) {
    // Not on our stdout, which may be for JSON only.
    this.#child = fork(fileURLToPath(module), [JSON.stringify({ events, daily })], { stdio: ["ignore", 2, 2, "ipc"] });
    this.#result = new Promise((resolve, reject) => {
      this.#child.on("message", (message) => resolve(message as StateDigest));
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => {
        reject(new Error(`The plain computation ended without a result. exit=${code} signal=${signal}.`));
      });
    });
    this.#result.catch(() => {});
  }

  result(): Promise<StateDigest> {
    return this.#result;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
