/** Types of harness.mjs, for tests. */

import type { BackendHarness, StoreAdapterHarness } from "@tidemark/conformance";

interface RedisPlace {
  readonly url: string;
  readonly prefix: string;
}

export const harness: BackendHarness<RedisPlace>;
export const store: StoreAdapterHarness<RedisPlace>;
export function stop(): Promise<void>;
