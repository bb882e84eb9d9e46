/**
 * Rewrites a savepoint for another number of key groups, without a job and without the codecs of values.
 *
 * Invariants:
 * - The source is read whole, and verified, before anything is written. It is never changed.
 * - The manifest is written last: before it there is no savepoint at the target.
 */

import { systemClock, systemRandom } from "../clock.js";
import { encodeManifest, type Manifest, type OperatorManifest, type TaskManifest } from "../checkpoint/manifest.js";
import { SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS, segmentLeaf } from "../checkpoint/names.js";
import type { SegmentPlace } from "../checkpoint/task-chain.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Clock, Random } from "../contracts/clock.js";
import type { KeyCodec } from "../contracts/codec.js";
import { sizesOf } from "../coordinator/checkpoint-work.js";
import { refuseUsedPlace, usedPlace } from "../coordinator/savepoint.js";
import { quoted, StateBackendError } from "../errors.js";
import { checkMaxParallelism, KEY_HASH, KeyGroups, splitKeyGroups } from "../key/key-groups.js";
import { checkCovered } from "../restore/assign.js";
import { findForeign } from "../restore/restore-source.js";
import { type Move, rewriteOperator, tryMove } from "../restore/rewrite.js";
import { SegmentSorter, type SorterOptions } from "../restore/segment-sorter.js";
import type { Compression } from "../segment/format.js";
import { Slicer } from "../segment/slicer.js";
import { combinedTime } from "../table/task-time.js";
import { regroup } from "./regroup.js";
import { storedKeyCodec } from "./stored-key-codec.js";

/** What is rewritten, where to, and how. */
export interface RekeyOptions {
  /** Where the savepoint is. */
  readonly from: CheckpointStorage;
  /** Where the new one goes: a place without a savepoint. */
  readonly to: CheckpointStorage;
  /** The new number of key groups: of every operator, or by its name; operators that are not named keep theirs. */
  readonly maxParallelism: number | Readonly<Record<string, number>>;
  /**
   * Key codecs of your own that the operators use. They only say where a key ends.
   * @defaultValue none: those of Tidemark are known
   */
  readonly keyCodecs?: readonly KeyCodec<unknown>[];
  /**
   * Bytes that entries may take in memory while they are sorted. What is more is written in runs, which are merged and removed. Besides,
   * reading takes about a megabyte for each of at most 16 runs, and for each segment of a task of the source.
   * @defaultValue 67_108_864
   */
  readonly memoryBytes?: number;
  /** @defaultValue "none" */
  readonly compression?: Compression;
  /** @defaultValue the system's */
  readonly clock?: Clock;
  /** @defaultValue the system's */
  readonly random?: Random;
}

/** What was written. */
export interface RekeyedSavepoint {
  /** Id of the savepoint: that of the source. */
  readonly checkpoint: number;
  readonly entries: number;
  /** Length of its segments. */
  readonly bytes: number;
}

const DEFAULTS = Object.freeze({ memoryBytes: 64 * 1024 * 1024, compression: "none" });

/**
 * Writes the savepoint at `from` to `to` once more, for another `maxParallelism`. The result is an ordinary savepoint, with the same state,
 * timers and operator state included, and with as many tasks. Reads the source twice; nothing of it is in memory as a whole.
 * If it fails, there is no savepoint at `to`, and the place can be used again: what is left there, nothing names.
 * @throws {RangeError} if `maxParallelism` is not an integer from 1 to 32,768, or `memoryBytes` not a safe integer from 1
 * @throws {StateBackendError} CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT or FORMAT_UNSUPPORTED for the source, before anything is written
 * @throws {StateBackendError} STATE_INCOMPATIBLE if there is a savepoint at `to`, the source has no such operator or not all of its key
 * groups, or a key codec is not known
 * @throws {StateBackendError} UNAVAILABLE for the storages
 */
export async function rekeySavepoint(options: RekeyOptions): Promise<RekeyedSavepoint> {
  const { from, to, maxParallelism, keyCodecs = [], clock = systemClock, random = systemRandom } = options;
  const { memoryBytes = DEFAULTS.memoryBytes, compression = DEFAULTS.compression } = options;
  checkOptions(maxParallelism, memoryBytes);
  const { manifest, place } = await findForeign({ savepoint: from });
  const plans = planOperators(manifest, maxParallelism, keyCodecs);
  await refuseUsedPlace(to);
  const started = clock.monotonic();
  const slicer = new Slicer(clock);
  for (const { source, move } of plans) {
    for (const { segments } of source.tasks) await tryMove({ place, segments }, move, slicer);
  }

  const attempt = { number: manifest.attempt.number, nonce: Buffer.from(random.bytes(16)).toString("hex") };
  let count = 0;
  const sorting: Sorting = {
    place: { storage: to, prefix: SAVEPOINT_SEGMENTS },
    use: (upload) => upload(() => segmentLeaf(attempt.number, attempt.nonce, ++count)),
    compression,
    slicer,
    memoryBytes,
  };
  const operators: OperatorManifest[] = [];
  for (const plan of plans) operators.push(await rewrite(plan, place, sorting));
  const segments = operators.flatMap(({ tasks }) => tasks.flatMap((task) => task.segments));
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const sizes = sizesOf([{ segments, uploadedBytes: bytes }]);
  const durationMs = clock.monotonic() - started;
  const rekeyed: Manifest = { ...manifest, attempt, durationMs, ...sizes, operators };
  if ((await to.put(SAVEPOINT_MANIFEST, encodeManifest(rekeyed), { ifAbsent: true })) === "exists") throw usedPlace();
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  return Object.freeze({ checkpoint: manifest.checkpoint, entries, bytes });
}

type Sorting = Omit<SorterOptions, "outputCount" | "codecVersions">;

/** An operator, and what becomes of it. */
interface OperatorPlan {
  readonly source: OperatorManifest;
  readonly move: Move;
  readonly maxParallelism: number;
  /** As the tasks will be, without segments. */
  readonly tasks: readonly Omit<TaskManifest, "segments">[];
}

async function rewrite(
  { source, move, maxParallelism, tasks }: OperatorPlan,
  place: SegmentPlace,
  sorting: Sorting,
): Promise<OperatorManifest> {
  const codecVersions = new Map(source.states.map(({ id, codec }) => [id, codec.version]));
  const sorter = new SegmentSorter({ ...sorting, codecVersions, outputCount: tasks.length });
  const { segments, leftOver } = await rewriteOperator({ place, tasks: source.tasks }, move, {
    owned: tasks.map(({ keyGroups }) => keyGroups),
    heirOf: (_task, index) => index,
    sorter,
    slicer: sorting.slicer,
  });
  const { storage, prefix } = sorting.place;
  if (leftOver.length > 0) await storage.remove(leftOver.map((name) => prefix + name));
  const written = tasks.map((task, i) => ({ ...task, segments: segments[i] === undefined ? [] : [segments[i]] }));
  return { ...source, maxParallelism, tasks: written };
}

function planOperators(
  { operators }: Manifest,
  maxParallelism: RekeyOptions["maxParallelism"],
  keyCodecs: readonly KeyCodec<unknown>[],
): OperatorPlan[] {
  const named = typeof maxParallelism === "number" ? [] : Object.keys(maxParallelism);
  const unknown = named.find((name) => !operators.some((operator) => operator.name === name));
  if (unknown !== undefined) {
    throw incompatible(`The savepoint has no such operator. operator=${quoted(unknown)}. Name one that it has.`);
  }
  return operators.map((source) => {
    const wanted =
      typeof maxParallelism === "number"
        ? maxParallelism
        : Object.hasOwn(maxParallelism, source.name)
          ? maxParallelism[source.name]
          : undefined;
    return planOperator(source, wanted ?? source.maxParallelism, keyCodecs);
  });
}

function planOperator(
  source: OperatorManifest,
  maxParallelism: number,
  keyCodecs: readonly KeyCodec<unknown>[],
): OperatorPlan {
  if (source.tasks.some(({ segments }) => segments.some(({ former = [] }) => former.length > 0))) {
    throw incompatible(
      `The savepoint has values in a former codec. operator=${quoted(source.name)}. Restore it, and take another savepoint.`,
    );
  }
  // Its keys stay where they are, and so do the tasks.
  if (maxParallelism === source.maxParallelism) {
    return { source, move: (key) => key, maxParallelism, tasks: source.tasks };
  }
  if (source.keyHash !== KEY_HASH) {
    throw incompatible(
      `The operator has another key hash. operator=${quoted(source.name)} keyHash=${quoted(source.keyHash)} expected=${KEY_HASH}. Rewrite the savepoint with the version of Tidemark that knows it.`,
    );
  }
  checkCovered(source, KeyGroups.all(source.maxParallelism));
  const key = storedKeyCodec(source.key, keyCodecs);
  if (key === undefined) {
    throw incompatible(
      `The key codec is not known. operator=${quoted(source.name)} codec=${quoted(source.key.id)} version=${source.key.version}. Pass it in keyCodecs.`,
    );
  }
  const times = source.tasks.flatMap(({ time }) => time ?? []);
  const time = times.length === 0 ? {} : { time: combinedTime(times) };
  const tasks = splitAmong(maxParallelism, source.tasks.length).map((keyGroups) => ({ keyGroups, ...time }));
  return { source, move: regroup(source, key, maxParallelism), maxParallelism, tasks };
}

/** As many tasks as before, since each keeps its operator state; where they are more than key groups, some own none. */
function splitAmong(maxParallelism: number, tasks: number): KeyGroups[] {
  const owning = splitKeyGroups(maxParallelism, Math.min(tasks, maxParallelism));
  return Array.from({ length: tasks }, (_, i) => owning[i] ?? KeyGroups.of([]));
}

function checkOptions(maxParallelism: RekeyOptions["maxParallelism"], memoryBytes: number): void {
  for (const each of typeof maxParallelism === "number" ? [maxParallelism] : Object.values(maxParallelism)) {
    checkMaxParallelism(each);
  }
  if (Number.isSafeInteger(memoryBytes) && memoryBytes >= 1) return;
  throw new RangeError(
    `memoryBytes is not a number of bytes. received=${String(memoryBytes)} expected=a safe integer from 1.`,
  );
}

function incompatible(message: string): StateBackendError {
  return new StateBackendError("STATE_INCOMPATIBLE", message);
}
