/**
 * What errors of Redis and of its client mean to a caller.
 *
 * Invariants:
 * - Nothing that was sent is in a message or behind it: the client hangs commands and their arguments on its errors, passwords too. So the error itself is
 *   never handed on.
 */

import { isStateBackendError, type Outcome, StateBackendError } from "@tidemark/core";

/** Answers that a server gives instead of doing anything, and what to do. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["BUSY", "A script of someone else runs for too long: end it with SCRIPT KILL."],
  ["LOADING", "The server still loads its data: wait."],
  ["READONLY", "This is a replica: connect to the master."],
  ["MASTERDOWN", "This is a replica without its master: connect to the master."],
  ["MISCONF", "The server cannot save its data: look at its log and its disk."],
  ["OOM", "The server has no more memory: raise maxmemory, or take something else out of it."],
  ["NOREPLICAS", "Too few replicas are connected: see min-replicas-to-write."],
  ["CLUSTERDOWN", "The cluster does not serve all slots: look at CLUSTER INFO."],
  ["TRYAGAIN", "Slots of the cluster are being moved: try again."],
  ["MOVED", "Slots of the cluster have moved. Use a Cluster client for a cluster."],
  ["ASK", "Slots of the cluster are being moved. Use a Cluster client for a cluster."],
  ["CROSSSLOT", "The keys of a call are in different slots: report this as a defect."],
  ["NOAUTH", "Give the client a user and a password."],
  ["WRONGPASS", "Give the client the right user and password."],
  ["NOPERM", "Give the user the rights of tidemark.acl."],
  ["NOPROTO", "Use a server of version 6.2 or later."],
  ["NOSCRIPT", "Try again."],
]);

/** The first word of what a server answered; `undefined` if it was not the server. */
export function replyCode(error: unknown): string | undefined {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  if (name !== "ReplyError" || typeof message !== "string") return undefined;
  // What a script may not do is told in other words.
  if (/^ERR The user executing the script can't (run|access)/.test(message)) return "NOPERM";
  return /^-?([A-Z][A-Z0-9]*)\b/.exec(message)?.[1] ?? "ERR";
}

/**
 * `error` as one of ours; those that are ours already pass.
 * @param what what was to be done, for people
 * @param isWrite whether it would have changed something
 */
export function asRedisError(error: unknown, what: string, isWrite: boolean): StateBackendError {
  if (isStateBackendError(error)) return error;
  const reply = replyCode(error);
  if (reply === "WRONGTYPE") return foreignTypeError(what);
  const remedy = reply === undefined ? undefined : REFUSALS.get(reply);
  const outcome: Outcome = !isWrite || remedy !== undefined ? "not-applied" : "unknown";
  const code = reply ?? connectionCode(error);
  const advice = remedy ?? "Check that the server runs and can be reached, then try again.";
  return new StateBackendError("UNAVAILABLE", `Redis did not do what was asked. call=${what} code=${code}. ${advice}`, {
    outcome,
  });
}

function connectionCode(error: unknown): string {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown };
  if (typeof code === "string" && /^[A-Z_]{2,40}$/.test(code)) return code;
  if (message === "Connection is closed.") return "CONNECTION_CLOSED";
  // A client of a cluster has tried several times. What became of the tries before the last nobody knows.
  const last = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]+)\b/.exec(
    typeof message === "string" ? message : "",
  );
  if (last !== null) return last[1] as string;
  return typeof name === "string" && /^[A-Za-z]{2,40}$/.test(name) ? name : "UNKNOWN";
}

function foreignTypeError(what: string): StateBackendError {
  return lossError(what, "a key of ours holds something else");
}

/** Stored state is not what it must be. */
export function lossError(place: string, what: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Working state in Redis was lost or changed: ${what}. ${place}. ` +
      "Open the task again: its working state is then rebuilt from the checkpoint.",
  );
}

export function fencedError(place: string): StateBackendError {
  return new StateBackendError("FENCED", `Another owner has taken over the working state. ${place}. Stop this task.`);
}
