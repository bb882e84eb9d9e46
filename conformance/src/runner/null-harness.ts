/**
 * The canary: an adapter that accepts everything and keeps nothing. A law that it passes looks at nothing, and then the kit is at
 * fault, not the adapter.
 */

import { BROKEN_JOBS } from "../broken/broken-jobs.js";
import type { Harness } from "../harness.js";
import type { BackendHarness, Capabilities } from "./adapter-harness.js";

/** Declares and offers whatever a law may ask for. */
export function nullHarness(capabilities: Capabilities): BackendHarness<undefined> {
  return {
    name: "null",
    contract: "backend",
    capabilities,
    create: () => undefined,
    reopen: () => ({
      put: async () => "created",
      async *get() {},
      async *list() {},
      remove: async () => {},
      close: async () => {},
    }),
    backend: () => ({ name: "null", sync: true, checkpoints: undefined as never }),
    crash: () => {},
    readBack: () => undefined,
    corrupt: () => {},
    faults: () => () => false,
    advance: () => {},
  };
}

/** Jobs that forget to delete: a storage that keeps nothing does not show in state that is never restored. */
export function brokenJobs(jobs: Harness): Harness {
  const broken = BROKEN_JOBS.find(({ what }) => what === "deleting a value does nothing");
  return broken === undefined ? jobs : { ...jobs, wrap: broken.wrap };
}
