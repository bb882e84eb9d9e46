/** `import { conformance } from "@tidemark/conformance/mocha"` in a test file of mocha. */

import type { AdapterHarness } from "../runner/adapter-harness.js";
import type { VerifyOptions } from "../runner/verify-options.js";
import { type Globals, globalFramework } from "./global-framework.js";
import { registerLaws } from "./register-laws.js";

/** Registers one test for each law of the harness. */
export function conformance(harness: AdapterHarness, options?: VerifyOptions): void {
  registerLaws(globalFramework("mocha", globalThis as unknown as Partial<Globals>), harness, options);
}
