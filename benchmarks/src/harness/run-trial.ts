/** Runs one trial in a process of its own. */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { BackendName } from "./backends.js";
import type { Places } from "./suite.js";

/** What the process of a trial is told. */
export interface TrialRequest {
  readonly suite: string;
  readonly backend: BackendName;
  readonly trial: unknown;
  readonly places: Places;
}

/** What the process of a trial answers. */
export type TrialAnswer = { readonly result: unknown } | { readonly error: string };

const WORKER = fileURLToPath(new URL("../worker.js", import.meta.url));

/** The result of the trial. Fails if the process does. */
export function runTrial(request: TrialRequest, heapMiB: number): Promise<unknown> {
  const { STATE_VERIFY: _, ...env } = process.env;
  const execArgv = ["--expose-gc", `--max-old-space-size=${heapMiB}`];
  const child = fork(WORKER, [], { execArgv, env });
  return new Promise((resolve, reject) => {
    let answer: TrialAnswer | undefined;
    child.once("message", (message) => {
      answer = message as TrialAnswer;
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (answer === undefined) reject(new Error(`The process of a trial ended. code=${code} signal=${signal}`));
      else if ("error" in answer) reject(new Error(answer.error));
      else resolve(answer.result);
    });
    child.send(request);
  });
}
