/** For the command line of the kit: `tidemark-conformance verify packages/memory/test/harness.mjs`. */

import { MEMORY_HARNESS, MEMORY_STORE_HARNESS } from "@tidemark/conformance";
import { memory } from "../dist/index.js";

/** State and checkpoints in the memory of this process. */
export const harness = { ...MEMORY_HARNESS, backend: () => memory() };

export const store = MEMORY_STORE_HARNESS;
