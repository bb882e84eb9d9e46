/** Types of harness.mjs, for tests. */

import type { BackendHarness, StoreAdapterHarness } from "@tidemark/conformance";

export const harness: BackendHarness;
export const cluster: BackendHarness;
export const store: StoreAdapterHarness;
export const clusterStore: StoreAdapterHarness;
export function stop(): Promise<void>;
