/**
 * Errors of the server and of the connection as ours: what failed, by which code, and what to do about it.
 *
 * Invariants:
 * - Only errors of the server, of `pg` and of the system are translated. Everything else passes as it is.
 * - What the server says of rows (`detail`, `where`) and whatever holds a URL is left out, also of the cause: it may be secret.
 */

import { type ErrorCode, isStateBackendError, type Outcome, quoted, StateBackendError } from "@tidemark/core";

/** Five characters, as in the server's manual, or a code of the system (ECONNRESET). */
export type SqlState = string;

/** The whole transaction may succeed when it is repeated. */
const REPEATABLE: ReadonlySet<SqlState> = new Set(["40001", "40P01"]);
/** Connections are refused for the moment, or have just ended. */
const CONNECTION_REMEDY = "See that the server runs and can be reached; the call is repeated, or repeat it.";

const REMEDIES: Readonly<Record<SqlState, string>> = Object.freeze({
  "08P01": "See whether a proxy stands between that does not pass everything on.",
  "25006": "This is a standby, or read only: connect to the primary.",
  "25P03": "The process stood still within a transaction; the call is repeated, or repeat it.",
  "28000": "Let the server's pg_hba.conf admit this user, and check the user's name.",
  "28P01": "Check user and password.",
  "3D000": "Create the database, or correct its name.",
  "40001": "Others change the same rows; repeat the call.",
  "40P01": "Others lock the same rows; repeat the call.",
  "42501":
    "Grant the role of this process SELECT, INSERT, UPDATE and DELETE on the tables of the schema, and USAGE on the schema.",
  "53100": "Free space on the server's disk, then repeat the call.",
  "53200": "The server is out of memory: give it more, or use fewer connections.",
  "53300": "Raise the server's max_connections, or use a smaller pool.",
  "53400": "Raise the limit that the server's log names (temp_file_limit), then repeat the call.",
  "55P03": "Another session holds a lock: end it if it hangs, then repeat the call.",
  "57014": "Raise statement_timeout of this role if statements are to take longer, then repeat the call.",
  "57P01": "An administrator has ended the connection; repeat the call.",
  "57P03": "The server is starting or stopping; repeat the call.",
  NO_TLS:
    "The server does not encrypt: let it (ssl = on), or, where nobody listens, ask for no encryption with tls: false.",
  SELF_SIGNED_CERT_IN_CHAIN: "Give the certificate of the authority that signed the server's, as tls.ca.",
  DEPTH_ZERO_SELF_SIGNED_CERT: "Give the server's certificate as tls.ca.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "Give the certificate of the authority that signed the server's, as tls.ca.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "Give the certificate of the authority that signed the server's, as tls.ca.",
  ERR_TLS_CERT_ALTNAME_INVALID: "Connect by the name that the server's certificate has.",
});

/** What `pg` has no code for. */
const NO_TLS = "NO_TLS";
const DRIFTED = /^(42P01|42703|42883|42804|3F000|42P10|42704)$/;
const DAMAGED = /^(XX001|XX002|22021)$/;
const NO_CONNECTION = /^(08|57P|E[A-Z]+$|ERR_|NO_TLS|[A-Z_]*CERT)/;

/** The server's code for `error`, or the system's; `undefined` if it is neither's. */
export function sqlStateOf(error: unknown): SqlState | undefined {
  if (!(error instanceof Error) || isStateBackendError(error)) return undefined;
  const code = (error as { readonly code?: unknown }).code;
  if (
    typeof code === "string" &&
    /^([0-9A-Z]{5}|E[A-Z]{3,}|ERR_TLS_[A-Z_]+|ERR_SSL_[A-Z_]+|[A-Z_]*CERT[A-Z_]*)$/.test(code)
  ) {
    return code;
  }
  if (error instanceof AggregateError) return sqlStateOf(error.errors[0]);
  // What `pg` itself reports of a connection has no code.
  if (error.message.startsWith("The server does not support SSL")) return NO_TLS;
  return /^(Connection terminated|timeout exceeded|Client |Query read timeout)/.test(error.message)
    ? "08006"
    : undefined;
}

export function isRepeatable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && REPEATABLE.has(state);
}

/** Whether the connection is gone, so that nothing is known of what was under way. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && NO_CONNECTION.test(state);
}

/** Our error for what `pg` threw while `doing`; others pass. */
export function asStateError(error: unknown, doing: string, outcome: Outcome = "not-applied"): unknown {
  const state = sqlStateOf(error);
  if (state === undefined) return error;
  return new StateBackendError(codeOf(state), `${doing} failed. code=${quoted(state)}. ${remedyOf(state)}`, {
    cause: withoutSecrets(error as Error, state),
    outcome,
  });
}

function codeOf(state: SqlState): ErrorCode {
  if (DAMAGED.test(state)) return "CHECKPOINT_CORRUPT";
  return DRIFTED.test(state) ? "STATE_INCOMPATIBLE" : "UNAVAILABLE";
}

function remedyOf(state: SqlState): string {
  const remedy = REMEDIES[state];
  if (remedy !== undefined) return remedy;
  if (DAMAGED.test(state)) {
    return "The server's disk is damaged: restore the database from a backup, or use another one.";
  }
  if (DRIFTED.test(state)) return "The schema is not as Tidemark made it: restore it, or use another schema.";
  if (NO_CONNECTION.test(state)) return CONNECTION_REMEDY;
  return "See the server's manual for this code and its log, then repeat the call.";
}

function withoutSecrets({ message }: Error, code: SqlState): Error {
  return Object.assign(new Error(quoted(message.replace(/\b[a-z]+:\/\/\S+/g, "(a URL)"))), { code });
}

/** Whether another session held a lock for too long, also behind an error of ours. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(isStateBackendError(error) ? error.cause : error) === "55P03";
}
