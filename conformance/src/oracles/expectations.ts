/** Small judgements that the commands and properties share. */

import { type ErrorCode, hasCode, isStateBackendError } from "@tidemark/core";
import { canonical } from "../model/canonical.js";
import { isSurelySame } from "../model/same-value.js";

/** Throws unless both are equal in the sense of the contract. Of millions of comparisons one is told: so `what` may wait until then. */
export function expectEqual(actual: unknown, expected: unknown, what: string | (() => string)): void {
  if (isSurelySame(actual, expected)) return;
  const [found, wanted] = [canonical(actual), canonical(expected)];
  if (found !== wanted) {
    const told = typeof what === "string" ? what : what();
    throw new Error(`${told}: found ${found.slice(0, 400)} where ${wanted.slice(0, 400)} was expected`);
  }
}

/** Throws unless `condition`. */
export function expectThat(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** What a promise gave, or the error it ended with. */
export type Settled<T> = { readonly value: T; readonly error?: undefined } | { readonly error: unknown };

export async function settled<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}

/** Throws unless `work` fails with one of `codes`. */
export async function expectCode(work: () => unknown, codes: readonly ErrorCode[], what: string): Promise<void> {
  const result = await settled(Promise.resolve().then(work));
  const isExpected = "error" in result && codes.some((code) => hasCode(result.error, code));
  if (isExpected) return;
  throw new Error(`${what}: expected ${codes.join(" or ")}, ${outcomeText(result)}`, { cause: result.error });
}

export function outcomeText(result: Settled<unknown>): string {
  if (!("error" in result)) return "and nothing was thrown";
  const { error } = result;
  return isStateBackendError(error) ? `found ${error.code}: ${error.message}` : `found ${String(error)}`;
}
