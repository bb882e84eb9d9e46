/** `import { conformance } from "@tidemark/conformance/node-test"` in a file that `node --test` runs. */

import { describe, it } from "node:test";
import type { AdapterHarness } from "../runner/adapter-harness.js";
import type { VerifyOptions } from "../runner/verify-options.js";
import { registerLaws } from "./register-laws.js";

/** Registers one test for each law of the harness. */
export function conformance(harness: AdapterHarness, options?: VerifyOptions): void {
  const framework = {
    group: (name: string, register: () => void) => void describe(name, register),
    test: (name: string, run: () => Promise<void>, timeout: number) => void it(name, { timeout }, run),
    // Shown as skipped: the harness has no hook for it, which is for its author to change.
    skipped: (name: string) => void it.skip(name),
  };
  registerLaws(framework, harness, options);
}
