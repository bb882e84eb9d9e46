/** Migrates every value once for nothing, so that a migration that throws is known before the running owner is fenced. */

import type { OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import { openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import type { Clock } from "../contracts/clock.js";
import { hasCode } from "../errors.js";
import { Slicer } from "../segment/slicer.js";
import { type DeclaredCodecs, isSameCodec, ValueMigrations, withFormerCodecs } from "./value-migration.js";

/** An operator as checkpointed, and as it is declared now. */
export interface Rehearsal {
  readonly operator: DeclaredCodecs;
  readonly states: readonly StateManifest[];
  readonly source: OperatorManifest;
}

/**
 * Does nothing if no state has another codec than in the checkpoint: what older segments hold was rehearsed when it was taken over.
 * @throws {StateBackendError} STATE_INCOMPATIBLE naming the key whose value cannot be migrated
 */
export async function rehearseMigrations(
  { operator, states, source }: Rehearsal,
  place: SegmentPlace,
  clock: Clock,
): Promise<void> {
  const now = new Map(states.map(({ id, codec }) => [id, codec]));
  if (source.states.every(({ id, codec }) => isSameCodec(codec, now.get(id) ?? codec))) return;
  const codecs = new ValueMigrations(operator, states, source.states);
  const slicer = new Slicer(clock);
  for (const task of source.tasks) {
    for (const ref of withFormerCodecs(task.segments, source.states, states)) {
      try {
        for await (const _ of await openEntries(place, ref, codecs)) if (slicer.isDue()) await slicer.pause();
      } catch (error) {
        // The owner still runs and may have removed the segment; what is damaged is reported by the restore itself.
        if (hasCode(error, "STATE_INCOMPATIBLE")) throw error;
      }
    }
  }
}
