/** Harnesses with one fault. */

import { BROKEN_STORAGES, brokenPlace } from "../../src/broken/broken-storages.js";
import type { Place } from "../../src/harness.js";
import { handleOn } from "../../src/reference/handle-on.js";
import { memoryStorage } from "@tidemark/core";
import type { StorageHarness } from "../../src/runner/adapter-harness.js";

/** The storage in memory, broken as the one of that name. */
export function brokenHarness(what: string): StorageHarness<Place> {
  const broken = BROKEN_STORAGES.find((each) => each.what === what);
  if (broken === undefined) throw new RangeError(`No such broken storage. what=${what}.`);
  return {
    name: `a storage that ${what}`,
    contract: "storage",
    create() {
      const shared = memoryStorage();
      return brokenPlace({ open: () => handleOn(shared) }, broken);
    },
    reopen: (place) => place.open(),
  };
}
