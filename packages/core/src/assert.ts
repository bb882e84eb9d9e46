/** Checks of what must hold inside Tidemark. A failure here is our bug, never the caller's. */

import { env } from "node:process";

/** Always on; for conditions that cost O(1). */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}. Please report this as a bug in Tidemark.`);
}

const VERIFYING = env["STATE_VERIFY"] === "1";

/** On with `STATE_VERIFY=1`, as in all our tests; for conditions that cost more than O(1). */
export function verify(holds: () => boolean, message: string): void {
  if (VERIFYING) assert(holds(), message);
}
