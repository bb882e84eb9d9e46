/** The laws of the conformance kit on state and checkpoints in memory. The kit's names of tests quote the clauses. */

import { MEMORY_HARNESS } from "@tidemark/conformance";
import { conformance } from "@tidemark/conformance/vitest";
import { memory } from "../src/index.js";

conformance({ ...MEMORY_HARNESS, backend: () => memory() });

conformance(
  {
    ...MEMORY_HARNESS,
    name: "memory with its limit",
    capabilities: { objectBytesMax: 5_242_880 },
    create: () => memory().checkpoints,
  },
  { only: ["objects"] },
);
