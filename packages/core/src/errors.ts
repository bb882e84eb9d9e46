/**
 * The one error type of Tidemark and its closed list of codes.
 *
 * Invariants:
 * - A code exists only where a caller would act differently on it; codes are API, messages are not.
 * - A message says what failed, the facts as `name=value`, then the remedy as a sentence.
 */

/** What a caller can act on. Each code has its remedy in docs/errors.md. */
export type ErrorCode =
  | "ABORTED"
  | "CHECKPOINT_CORRUPT"
  | "CHECKPOINT_NOT_FOUND"
  | "CLOSED"
  | "FENCED"
  | "FORMAT_UNSUPPORTED"
  | "KEY_NOT_OWNED"
  | "LIMIT_EXCEEDED"
  | "POISONED"
  | "STATE_INCOMPATIBLE"
  | "UNAVAILABLE"
  | "VALUE_INVALID";

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["ABORTED", "UNAVAILABLE"]);

/** What is known of a call that failed: whether its effect took place. */
export type Outcome = "applied" | "not-applied" | "unknown";

/** Further facts an error carries. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** @defaultValue "not-applied" */
  readonly outcome?: Outcome;
}

const BRAND = Symbol.for("tidemark.StateBackendError");

/** Every failure that is not a programming mistake. Programming mistakes are `TypeError` or `RangeError` without a code. */
export class StateBackendError extends Error {
  override readonly name = "StateBackendError";
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  readonly outcome: Outcome;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    this.outcome = details.outcome ?? "not-applied";
  }
}

/** True for our errors, also across several installed copies of core. */
export function isStateBackendError(error: unknown): error is StateBackendError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** True if `error` is ours and carries `code`. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return isStateBackendError(error) && error.code === code;
}

/** Text of unknown origin made safe to stand in a message: control characters escaped, at most 120 characters. */
export function quoted(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 117)}…` : text;
  return JSON.stringify(shown);
}
