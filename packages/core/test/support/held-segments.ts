/** Uploads of segments that a test ends one by one. */

import { StateBackendError } from "../../src/index.js";
import { Gate } from "./gate.js";
import type { HookedStorage } from "./hooked-storage.js";

export interface HeldSegment {
  /** The last part of its name. */
  readonly leaf: string;
  /** Lets the upload go on. */
  release(): void;
  /** Lets the upload fail. */
  fail(): void;
}

/** From now on uploads of segments wait. They are in the order in which they got their names. */
export function holdSegments(storage: HookedStorage): readonly HeldSegment[] {
  const held: HeldSegment[] = [];
  storage.beforePut = async (name) => {
    if (!name.includes("segment/")) return;
    const gate = new Gate();
    let isFailing = false;
    held.push({
      leaf: name.slice(name.lastIndexOf("/") + 1),
      release: () => gate.open(),
      fail() {
        isFailing = true;
        gate.open();
      },
    });
    held.sort((a, b) => (a.leaf < b.leaf ? -1 : 1));
    await gate.opened;
    if (isFailing) throw new StateBackendError("UNAVAILABLE", "No.");
  };
  return held;
}
