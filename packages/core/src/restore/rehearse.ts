/** Migrates everything once for nothing, so that a migration that throws is known before the running owner is fenced. */

import type { SegmentRef } from "../checkpoint/manifest.js";
import { openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import type { Clock } from "../contracts/clock.js";
import { hasCode } from "../errors.js";
import { Slicer } from "../segment/slicer.js";
import { keyMigration } from "./key-migration.js";
import { type StoredOperator, tryMove } from "./rewrite.js";
import { type MatchedOperator, storedOperator } from "./stored-operator.js";
import { isSameCodec } from "./value-migration.js";

/**
 * Does nothing if no codec is another than in the checkpoint: what older segments hold was rehearsed when it was taken over.
 * Where one is, this reads the state once more than the restore itself: the price of refusing while the running owner still runs.
 * @throws {StateBackendError} STATE_INCOMPATIBLE naming the key that cannot be migrated, or whose value cannot
 */
export async function rehearseMigrations(
  { operator, states, source }: MatchedOperator,
  place: SegmentPlace,
  clock: Clock,
): Promise<void> {
  const move = keyMigration(operator, source);
  const now = new Map(states.map(({ id, codec }) => [id, codec]));
  const isOther = source.states.some(({ id, codec }) => !isSameCodec(codec, now.get(id) ?? codec));
  if (move === undefined && !isOther) return;
  const stored = storedOperator({ operator, states, source }, place);
  const slicer = new Slicer(clock);
  for (const { segments } of stored.tasks) {
    if (move !== undefined) await skipDamage(() => tryMove({ ...stored, segments }, move, slicer));
    else for (const ref of segments) await skipDamage(() => tryValues(ref, stored, slicer));
  }
}

async function tryValues(ref: SegmentRef, { place, codecs }: StoredOperator, slicer: Slicer): Promise<void> {
  for await (const _ of await openEntries(place, ref, codecs)) if (slicer.isDue()) await slicer.pause();
}

/** The owner still runs and may have removed a segment; what is damaged is reported by the restore itself. */
async function skipDamage(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (hasCode(error, "STATE_INCOMPATIBLE")) throw error;
  }
}
