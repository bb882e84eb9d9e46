/**
 * Rewrites the state of operators whose keys, namespaces or fields are in former codecs in the checkpoint, into our own place and before
 * the first record: from then on nothing depends on the former codecs, and the next checkpoint stands on what was written here.
 */

import type { StateManifest } from "../checkpoint/manifest.js";
import { keyMigration } from "../restore/key-migration.js";
import type { Assignment } from "../restore/assign.js";
import { rewriteOperator } from "../restore/rewrite.js";
import { SegmentSorter } from "../restore/segment-sorter.js";
import { storedOperator } from "../restore/stored-operator.js";
import { Slicer } from "../segment/slicer.js";
import type { JudgedTask } from "./plan.js";
import type { RestoreRequest } from "./restore-tasks.js";

/** What entries may take in memory while they are sorted. */
const SORT_BYTES = 64 * 1024 * 1024;

/** What a task takes over instead of what is in the checkpoint. */
export interface MovedState extends Assignment {
  /** The states of the checkpoint, with the codecs that their values have now. */
  readonly stored: readonly StateManifest[];
}

/**
 * By task, for those whose operator is concerned.
 * @throws {StateBackendError} STATE_INCOMPATIBLE if a key cannot be migrated, or two become one
 */
export async function moveKeys(request: RestoreRequest): Promise<ReadonlyMap<JudgedTask, MovedState>> {
  const moved = new Map<JudgedTask, MovedState>();
  for (const first of request.plan.filter(({ index }) => index === 0)) {
    const tasks = request.plan.filter(({ operator }) => operator === first.operator);
    for (const [i, state] of (await moveOperator(tasks, request)).entries()) moved.set(tasks[i] as JudgedTask, state);
  }
  return moved;
}

async function moveOperator(
  tasks: readonly JudgedTask[],
  { found, place, segmentNames, compression, clock }: RestoreRequest,
): Promise<MovedState[]> {
  const { operator, identity, source, isSameLayout } = tasks[0] as JudgedTask;
  if (found === undefined || source === undefined) return [];
  const move = keyMigration(operator, source);
  if (move === undefined) return [];
  const { states } = identity;
  const slicer = new Slicer(clock);
  const sorter = new SegmentSorter({
    place: { storage: place.storage, prefix: place.names.segments },
    outputCount: tasks.length,
    use: (upload) => segmentNames.use(upload),
    compression,
    codecVersions: new Map(states.map(({ id, codec }) => [id, codec.version])),
    slicer,
    memoryBytes: SORT_BYTES,
  });
  const { segments } = await rewriteOperator(storedOperator({ operator, states, source }, found.place), move, {
    owned: tasks.map(({ groups }) => groups),
    // Operator state goes by task; where the tasks are others it is dealt out anew.
    heirOf: ({ keyGroups }) => (isSameLayout ? tasks.findIndex(({ groups }) => groups.equals(keyGroups)) : undefined),
    sorter,
    slicer,
  });
  const codecs = new Map(states.map(({ id, codec }) => [id, codec]));
  const stored = source.states.map((state) => ({ ...state, codec: codecs.get(state.id) ?? state.codec }));
  return segments.map((segment) => ({
    segments: segment === undefined ? [] : [segment],
    hasOperatorState: isSameLayout,
    stored,
  }));
}
