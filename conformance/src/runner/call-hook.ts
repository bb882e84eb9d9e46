/** Calls what an author wrote, within a time, and says whose it is if it fails. */

import { Blame, errorText } from "./blame.js";
import { inTime } from "./deadline.js";

/** @throws {Blame} if the hook fails or does not settle */
export async function callHook<T>(hook: string, deadlineMs: number, run: () => T | Promise<T>): Promise<T> {
  const what = `${hook} of the harness`;
  try {
    return await inTime(Promise.resolve().then(run), { ms: deadlineMs, culprit: "harness", what });
  } catch (error) {
    if (error instanceof Blame) throw error;
    throw new Blame("harness", `${what} failed. error=${errorText(error)}. Mend the harness, or what it calls.`, {
      cause: error,
    });
  }
}
