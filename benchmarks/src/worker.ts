/** The process of one trial: takes a request, measures, answers, ends. */

import type { TrialAnswer, TrialRequest } from "./harness/run-trial.js";
import { suites } from "./suites/suites.js";

process.once("message", (message) => {
  void answerTo(message as TrialRequest).then((answer) => {
    process.send?.(answer, () => process.disconnect());
  });
});
process.once("disconnect", () => process.exit());

async function answerTo({ suite: name, backend, trial, places }: TrialRequest): Promise<TrialAnswer> {
  try {
    const suite = suites.find((candidate) => candidate.name === name);
    if (suite === undefined) throw new Error(`No such suite. name=${name}`);
    return { result: await suite.run(trial, backend, places) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
