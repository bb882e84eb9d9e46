/** The error for a key that is not of the type its codec keeps. */

import { StateBackendError } from "../errors.js";

/** Says which type was `expected` and which was received. */
export function invalidKey(expected: string, received: unknown): StateBackendError {
  return new StateBackendError(
    "VALUE_INVALID",
    `A key is not ${expected}. received=${typeNameOf(received)}. Pass such a key, or declare another key codec.`,
  );
}

function typeNameOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
