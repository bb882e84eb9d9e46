/** Types of harness.mjs, for tests. */

import type { BackendHarness, StoreAdapterHarness } from "@tidemark/conformance";

/** Places are directories. */
export const harness: BackendHarness<string>;
export const store: StoreAdapterHarness<string>;
