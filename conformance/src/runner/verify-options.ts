/** How to test. */

import type { Profile } from "./profile.js";
import type { LawResult } from "./report.js";

/** How to test; everything has a default. */
export interface VerifyOptions {
  /** @defaultValue "quick" */
  readonly profile?: Profile;
  /** Repeats a run. @defaultValue 20260801 */
  readonly seed?: number;
  /** Replays one case of a failure; with the one law of `only`. */
  readonly path?: string;
  /** Ids of laws, clauses or levels. @defaultValue all */
  readonly only?: readonly string[];
  /** How long one call of the adapter or the harness may take, milliseconds. @defaultValue 10,000 */
  readonly deadlineMs?: number;
  /** Laws that are known to fail, with the reason. One that passes is a failure: the entry is stale. */
  readonly expectedFailures?: Readonly<Record<string, string>>;
  /** Told of each law as it ends. */
  readonly onLaw?: (result: LawResult) => void;
  /** The module of the harness, for what a failure says to paste. @defaultValue "./adapter.js" */
  readonly module?: string;
  /** @defaultValue "harness" */
  readonly exportName?: string;
}

export const DEFAULTS = Object.freeze({
  profile: "quick" as const,
  seed: 20_260_801,
  deadlineMs: 10_000,
  module: "./adapter.js",
  exportName: "harness",
});
