/** What holds of every `Store`. Each law wants a place of its own; who runs them, and how, is up to the caller. */

import { changingLaws } from "./changing-laws.js";
import { ownerLaws } from "./owner-laws.js";
import { readingLaws } from "./reading-laws.js";
import type { OpenStoreHarness, StoreLaw } from "./store-harness.js";

/** The laws of S1 to S9, by clause. `anyStoreHistory` goes through them in random order. */
export const STORE_LAWS: readonly StoreLaw[] = [...ownerLaws, ...readingLaws, ...changingLaws].sort((a, b) =>
  a.id < b.id ? -1 : Number(a.id > b.id),
);

/**
 * Holds a new place to `law`.
 * @throws what the law found, or the store's error
 */
export async function checkStoreLaw(law: StoreLaw, open: OpenStoreHarness): Promise<void> {
  const harness = await open();
  try {
    await law.check(harness);
  } finally {
    await harness.dispose();
  }
}
