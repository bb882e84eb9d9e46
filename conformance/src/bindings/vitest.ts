/** `import { conformance } from "@tidemark/conformance/vitest"` in a test file. */

import { describe, it } from "vitest";
import type { AdapterHarness } from "../runner/adapter-harness.js";
import type { VerifyOptions } from "../runner/verify-options.js";
import { registerLaws } from "./register-laws.js";

/** Registers one test for each law of the harness. */
export function conformance(harness: AdapterHarness, options?: VerifyOptions): void {
  const framework = {
    group: (name: string, register: () => void) => void describe(name, register),
    test: (name: string, run: () => Promise<void>, timeoutMs: number) => it(name, run, timeoutMs),
    // Shown as skipped: the harness has no hook for it, which is for its author to change.
    skipped: (name: string) => it.skip(name, () => {}),
  };
  registerLaws(framework, harness, options);
}
