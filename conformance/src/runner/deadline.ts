/** A bound for every call of what is tested: a promise that never settles is a finding, and not the end of the run. */

import { systemClock } from "@tidemark/core";
import { Blame, type Culprit } from "./blame.js";

/** How long a call may take, and whose call it is. */
export interface Deadline {
  readonly ms: number;
  readonly culprit: Culprit;
  /** The call as it is named in the message. */
  readonly what: string;
  /** Whether the call waits for us; then it gets its time again. @defaultValue never */
  readonly isOurTurn?: () => boolean;
}

/** The outcome of `work`, or the blame if it does not settle in time. */
export async function inTime<T>(work: T | PromiseLike<T>, deadline: Deadline): Promise<T> {
  const { ms, culprit, what, isOurTurn = () => false } = deadline;
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    const onTime = (): void => {
      // Who waits for a process that is dead, as the program had it, waits for ever. Nobody needs to be kept alive for that.
      if (isOurTurn()) return begin(false);
      const message = `${what} did not settle. deadlineMs=${ms}. Every call ends with a result or an error: mend the ${culprit}, or raise the deadline.`;
      reject(new Blame(culprit, message));
    };
    const begin = (isAwaited: boolean): void => {
      const timer = systemClock.schedule(ms, onTime, isAwaited);
      cancel = () => timer.cancel();
    };
    begin(true);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
