import { expect } from "vitest";

/** Stands for any text that `pattern` finds something in. */
export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern) as unknown;
}
