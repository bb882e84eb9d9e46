/** Which checkpoint a job continues from, and where its objects are. */

import { JobNames, type ManifestName, SAVEPOINT_MANIFEST, SAVEPOINT_SEGMENTS } from "../checkpoint/names.js";
import { type Published, readPublished } from "../checkpoint/lineage.js";
import { decodeManifest, type Manifest } from "../checkpoint/manifest.js";
import { readWhole } from "../checkpoint/read-whole.js";
import { corruptDocument } from "../checkpoint/sealed-json.js";
import type { SegmentPlace } from "../checkpoint/task-chain.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { hasCode, quoted, StateBackendError } from "../errors.js";

/** A checkpoint of the job itself: the latest (empty state if there is none), none, or one by its id. */
export type OwnRestore = "latest" | "none" | number;

/** A checkpoint of another place or job. It is read, never changed or taken over. */
export interface ForeignRestore {
  readonly from: CheckpointStorage;
  readonly job: string;
  /** @defaultValue "latest" */
  readonly checkpoint?: number | "latest";
}

/** A savepoint. It is read, never changed, unless it is claimed. */
export interface SavepointRestore {
  readonly savepoint: CheckpointStorage;
  /**
   * Whether the savepoint belongs to the job from now on. Then it is removed as soon as as many checkpoints have completed as are
   * retained: it counts as the oldest of them. If the process ends before, it stays.
   * @defaultValue false
   */
  readonly claim?: boolean;
}

export type Restore = OwnRestore | ForeignRestore | SavepointRestore;

/** A checkpoint that was found and whose manifest is whole. */
export interface FoundCheckpoint {
  readonly manifest: Manifest;
  readonly place: SegmentPlace;
  /** Whether its segments are among those of the job itself. */
  readonly isOwn: boolean;
}

/** Reads the manifest of the checkpoint that `restore` names, if it is not in the job's own place. */
export async function findForeign(restore: ForeignRestore | SavepointRestore): Promise<FoundCheckpoint> {
  if ("savepoint" in restore) {
    const { savepoint: storage, claim = false } = restore;
    if (typeof claim !== "boolean") throw new TypeError(`claim is not a boolean. received=${String(claim)}.`);
    const manifest = await readManifest(storage, SAVEPOINT_MANIFEST);
    if (manifest.kind !== "savepoint") throw corruptDocument(SAVEPOINT_MANIFEST, "it is not of a savepoint");
    return { manifest, place: { storage, prefix: SAVEPOINT_SEGMENTS }, isOwn: false };
  }
  const names = new JobNames(restore.job);
  const published = await readPublished(restore.from, names);
  const found = await findIn(
    published,
    { storage: restore.from, names, job: restore.job },
    restore.checkpoint ?? "latest",
  );
  if (found === undefined) throw notFound("latest", published.manifests, restore.job);
  return { ...found, isOwn: false };
}

export interface JobPlace {
  readonly storage: CheckpointStorage;
  readonly names: JobNames;
  readonly job: string;
}

/**
 * The checkpoint of a job by id, or its latest; `undefined` if the latest is asked for and there is none.
 * @throws {StateBackendError} CHECKPOINT_NOT_FOUND if there is no such id
 */
export async function findIn(
  { manifests, latest }: Published,
  { storage, names, job }: JobPlace,
  wanted: number | "latest",
): Promise<FoundCheckpoint | undefined> {
  if (wanted === "latest" && manifests.length === 0) return undefined;
  const name = wanted === "latest" ? manifests.at(-1) : manifests.findLast(({ checkpoint }) => checkpoint === wanted);
  if (name === undefined) throw notFound(wanted, manifests, job);
  const isLatest = latest !== undefined && name === manifests.at(-1);
  const manifest = isLatest ? asNamed(latest, { name, job }) : await readJobManifest(storage, names, { name, job });
  return { manifest, place: { storage, prefix: names.segments }, isOwn: true };
}

/** Reads a manifest of a job and checks that it is the one that its name says. */
export async function readJobManifest(
  storage: CheckpointStorage,
  names: JobNames,
  wanted: WantedManifest,
): Promise<Manifest> {
  return asNamed(await readManifest(storage, names.checkpoints + wanted.name.leaf), wanted);
}

interface WantedManifest {
  readonly name: ManifestName;
  readonly job: string;
}

function asNamed(manifest: Manifest, { name, job }: WantedManifest): Manifest {
  const isNamed =
    manifest.job === job &&
    manifest.kind === "checkpoint" &&
    manifest.checkpoint === name.checkpoint &&
    manifest.attempt.number === name.attempt;
  if (!isNamed) throw corruptDocument(name.leaf, "it is the manifest of another checkpoint");
  return manifest;
}

async function readManifest(storage: CheckpointStorage, name: string): Promise<Manifest> {
  let bytes: Buffer;
  try {
    bytes = await readWhole(storage, name);
  } catch (cause) {
    if (!hasCode(cause, "CHECKPOINT_NOT_FOUND")) throw cause;
    throw new StateBackendError(
      "CHECKPOINT_NOT_FOUND",
      `There is no manifest. name=${quoted(name)}. Check the place that was given.`,
      { cause },
    );
  }
  return decodeManifest(bytes, name);
}

function notFound(wanted: number | "latest", manifests: readonly ManifestName[], job: string): StateBackendError {
  const retained = manifests.map(({ checkpoint }) => checkpoint).join(",");
  return new StateBackendError(
    "CHECKPOINT_NOT_FOUND",
    `Checkpoint not found. job=${quoted(job)} id=${wanted} retained=${retained === "" ? "none" : retained}. Restore one of the retained ids, or "latest".`,
  );
}
