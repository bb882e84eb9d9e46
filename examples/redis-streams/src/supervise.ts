/** Runs worker processes until one comes to the end, and kills them as planned. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Place, Stage } from "./consume.js";
import type { WorkerMessage } from "./worker.js";

export interface PlannedKill {
  readonly stage: Stage;
  /** Not before so many departures are in the state. */
  readonly count: number;
}

const module = fileURLToPath(new URL("./worker.js", import.meta.url));

export class Supervisor {
  readonly #place: Place;
  readonly #plan: PlannedKill[];
  #child: ChildProcess | undefined;
  #isStopped = false;

  constructor(place: Place, plan: readonly PlannedKill[]) {
    this.#place = place;
    this.#plan = [...plan];
  }

  /** Resolves when the stream has been consumed and every kill has hit. */
  async run(): Promise<void> {
    for (let isDone = false; !isDone; ) {
      if (this.#isStopped) throw new Error("Interrupted.");
      let killed: PlannedKill | undefined;
      const child = fork(module, [JSON.stringify(this.#place)]);
      this.#child = child;
      child.on("message", (message: WorkerMessage) => {
        if (message.type === "opened") {
          console.log(
            `goes on from ${message.restoredFrom === undefined ? "the start" : `checkpoint ${message.restoredFrom}`}`,
          );
        } else if (killed === undefined && this.#isDue(message)) {
          killed = { stage: message.stage, count: message.count };
          child.kill("SIGKILL");
        }
      });
      const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      if (killed !== undefined && signal === "SIGKILL") {
        this.#plan.shift();
        console.log(`killed with SIGKILL after ${killed.count} departures, at: ${killed.stage}`);
      } else if (code !== 0) throw new Error(`The consumer failed. exit=${code} signal=${signal}`);
      else isDone = true;
    }
    if (this.#plan.length > 0) throw new Error(`The stream ended before every kill had hit. left=${this.#plan.length}`);
  }

  stop(): void {
    this.#isStopped = true;
    this.#child?.kill("SIGKILL");
  }

  #isDue({ stage, count }: PlannedKill): boolean {
    const next = this.#plan[0];
    return next !== undefined && stage === next.stage && count >= next.count;
  }
}
