/** An operator of a checkpoint as a restore reads it: values in the codecs of today, keys as they are stored. */

import type { OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import type { SegmentPlace } from "../checkpoint/task-chain.js";
import { type DeclaredKeys, withStoredKey } from "./key-path.js";
import type { StoredOperator } from "./rewrite.js";
import { ValueMigrations, withFormerCodecs } from "./value-migration.js";

/** An operator as it is declared now, with the ids of its states, and as checkpointed. */
export interface MatchedOperator {
  readonly operator: DeclaredKeys;
  readonly states: readonly StateManifest[];
  readonly source: OperatorManifest;
}

export function storedOperator({ operator, states, source }: MatchedOperator, place: SegmentPlace): StoredOperator {
  return {
    place,
    tasks: source.tasks.map((task) => ({
      ...task,
      segments: withFormerCodecs(task.segments, source.states, states),
    })),
    codecs: new ValueMigrations(withStoredKey(operator, source), states, source.states),
  };
}
