/**
 * The segments that a task's last checkpoint consists of, and the frozen tables that are in no completed checkpoint yet.
 *
 *   freeze ──▶ pending ──extend, or uploadDelta and join──▶ uploaded ──(published)──adopt──▶ in the chain, no longer pending
 *                 ▲                                            │
 *                 └─────────────────── aborted ────────────────┘   nothing is lost: the next one takes all that is pending, newer wins
 *
 * A checkpoint that has no other under way at its barrier extends: all that is pending becomes one segment, merged with what
 * compaction says. One that begins beside others cannot know the chain that it will stand on. It uploads what its own barrier froze,
 * and joins it, in its turn, to the chain as it is then, behind what aborted ones left pending.
 *
 * Invariants:
 * - The chain is what the last completed checkpoint lists. It changes in `adopt` only.
 * - Whatever is frozen is pending until a completed checkpoint has it.
 */

import { assert } from "../assert.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Clock } from "../contracts/clock.js";
import { quoted, StateBackendError } from "../errors.js";
import type { EntrySource } from "../segment/entry-block.js";
import type { Compression } from "../segment/format.js";
import { type Conversion, migratedEntries } from "../segment/migrated-entries.js";
import { SegmentReader } from "../segment/segment-reader.js";
import { Slicer } from "../segment/slicer.js";
import { type FrozenTable, withEntries } from "../table/frozen-table.js";
import { BASE_LEVEL, planCompaction, SEGMENTS_MAX } from "./compaction.js";
import type { SegmentRef } from "./manifest.js";
import { type SegmentUpload, uploadSegment } from "./segment-upload.js";

/** Where segments are: a storage and the prefix of their names in it. */
export interface SegmentPlace {
  readonly storage: CheckpointStorage;
  readonly prefix: string;
}

/** What is known of the codecs in which segments have their values. */
export interface CodecKnowledge {
  /** By state id, for the states of the segment that are in a former codec. */
  of(ref: SegmentRef): ReadonlyMap<number, Conversion>;
  /** The version of the codec that a state has in a segment, if the manifest says so. */
  versionIn(ref: SegmentRef, stateId: number): number | undefined;
}

/** How a checkpoint writes its segments. */
export interface ExtendRequest {
  /** A full one rewrites the whole state, an incremental one writes what changed. */
  readonly kind: "full" | "incremental";
  /** Rows of the task that are present at the barrier. */
  readonly liveRows: number;
  /** A segment name that was never used. */
  readonly nextLeaf: () => string;
  readonly compression: Compression;
  readonly codecVersions: ReadonlyMap<number, number>;
  readonly clock: Clock;
  /** What time it was at the barrier for a state, by its id. */
  readonly nowOf?: ((stateId: number) => number | undefined) | undefined;
  readonly signal: AbortSignal;
}

/** A frozen table by itself, uploaded. */
export interface Delta {
  readonly frozen: FrozenTable;
  readonly segment: SegmentRef;
}

/** The chain as it will be once the checkpoint is published. */
export interface ChainExtension {
  readonly segments: readonly SegmentRef[];
  readonly uploadedBytes: number;
  /** The frozen tables that it contains. */
  readonly frozen: readonly FrozenTable[];
  /** The chain that it was made for. */
  readonly onto: readonly SegmentRef[];
}

export class TaskChain {
  readonly place: SegmentPlace;
  readonly #codecs: CodecKnowledge | undefined;
  #segments: readonly SegmentRef[];
  #pending: readonly FrozenTable[] = [];
  /** Deltas of pending tables that are uploaded. */
  readonly #deltas = new Map<FrozenTable, SegmentRef>();

  /** `codecs` is needed if a segment has values in a former codec. */
  constructor(place: SegmentPlace, segments: readonly SegmentRef[], codecs?: CodecKnowledge) {
    this.place = place;
    this.#codecs = codecs;
    this.#segments = segments;
  }

  get segments(): readonly SegmentRef[] {
    return this.#segments;
  }

  /** The oldest epoch that is frozen and in no completed checkpoint. */
  get oldestPending(): number | undefined {
    return this.#pending[0]?.epoch;
  }

  /** Estimated bytes of what is frozen and in no completed checkpoint. */
  get pendingBytes(): number {
    return this.#pending.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether the chain stays short enough if one more segment for each pending table, and for one more, joins it. */
  get hasRoom(): boolean {
    return this.#segments.length + this.#pending.length < SEGMENTS_MAX;
  }

  /** Whether a segment is the uploaded delta of a pending table. */
  isDelta(leaf: string): boolean {
    for (const { name } of this.#deltas.values()) if (name === leaf) return true;
    return false;
  }

  freeze(frozen: FrozenTable): void {
    if (frozen.rowCount > 0) this.#pending = [...this.#pending, frozen];
  }

  /** What is pending of epochs up to `epoch` and not uploaded as a delta, oldest first. */
  withoutDelta(epoch: number): readonly FrozenTable[] {
    return this.#pending.filter((table) => table.epoch <= epoch && !this.#deltas.has(table));
  }

  /** Uploads a frozen table by itself; changes nothing here. */
  uploadDelta(frozen: FrozenTable, request: ExtendRequest): Promise<SegmentRef> {
    const slicer = new Slicer(request.clock);
    return withEntries([frozen], slicer, (sources) =>
      uploadTo(this.place, request, { slicer, sources, isBase: false, level: 0 }),
    );
  }

  /** From now on the segment stands for a pending table. */
  keepDelta({ frozen, segment }: Delta): void {
    if (this.#pending.includes(frozen)) this.#deltas.set(frozen, segment);
  }

  /** The chain and the deltas of all that is pending up to an epoch. */
  join(epoch: number, uploadedBytes: number): ChainExtension {
    const frozen = this.#pending.filter((table) => table.epoch <= epoch);
    const deltas = frozen.map((table) => this.#deltas.get(table));
    assert(!deltas.includes(undefined), "every delta is uploaded before it joins the chain");
    const segments = [...this.#segments, ...(deltas as SegmentRef[])];
    assert(segments.length <= SEGMENTS_MAX, "there was room for one more delta");
    return { segments, uploadedBytes, frozen, onto: this.#segments };
  }

  /** Uploads what the next checkpoint needs, if no other is under way; changes nothing here. */
  async extend(request: ExtendRequest): Promise<ChainExtension> {
    const frozen = this.#pending;
    const onto = this.#segments;
    const rows = frozen.reduce((sum, { rowCount }) => sum + rowCount, 0);
    const isUnchanged = rows === 0 && this.#segments.length <= SEGMENTS_MAX;
    if (isUnchanged && request.kind === "incremental") return { segments: onto, uploadedBytes: 0, frozen, onto };
    const plan = request.kind === "full" ? { keep: 0, level: BASE_LEVEL } : this.#plan(rows, request.liveRows);
    const slicer = new Slicer(request.clock);
    // From here on what is frozen is held, whatever completes meanwhile.
    const segment = await withEntries(frozen, slicer, async (changes) =>
      uploadTo(this.place, request, {
        slicer,
        sources: [...(await readers(this.place, onto.slice(plan.keep), this.#codecs)), ...changes],
        isBase: plan.keep === 0,
        level: plan.level,
      }),
    );
    return { segments: [...onto.slice(0, plan.keep), segment], uploadedBytes: segment.bytes, frozen, onto };
  }

  /** Writes the whole state as one segment elsewhere; changes nothing here. */
  async copyTo(
    target: SegmentPlace,
    request: ExtendRequest,
    convert: (source: EntrySource) => EntrySource = (source) => source,
  ): Promise<SegmentRef> {
    const slicer = new Slicer(request.clock);
    return withEntries(this.#pending, slicer, async (changes) =>
      uploadTo(target, request, {
        slicer,
        sources: [...(await readers(this.place, this.#segments, this.#codecs)).map(convert), ...changes],
        isBase: true,
        level: BASE_LEVEL,
      }),
    );
  }

  /** The checkpoint is published: its extension becomes the chain. */
  async adopt(extension: ChainExtension, clock: Clock): Promise<void> {
    assert(extension.onto === this.#segments, "the chain is the one that the checkpoint was made for");
    this.#segments = extension.segments;
    for (const table of extension.frozen) this.#deltas.delete(table);
    this.#pending = this.#pending.filter((table) => !extension.frozen.includes(table));
    const slicer = new Slicer(clock);
    for (const table of extension.frozen) await table.completed(slicer);
  }

  #plan(rows: number, liveRows: number): { readonly keep: number; readonly level: number } {
    const bytes = this.#segments.reduce((sum, { visibleBytes }) => sum + visibleBytes, 0);
    const entries = this.#segments.reduce((sum, segment) => sum + segment.entries, 0);
    if (entries === 0) return { keep: 0, level: BASE_LEVEL };
    const entryBytes = bytes / entries;
    return planCompaction({
      chain: this.#segments,
      deltaBytes: rows * entryBytes,
      liveBytes: liveRows * entryBytes,
    });
  }
}

function uploadTo(
  { storage, prefix }: SegmentPlace,
  request: ExtendRequest,
  part: Pick<SegmentUpload, "slicer" | "sources" | "isBase" | "level">,
): Promise<SegmentRef> {
  return uploadSegment({ ...request, ...part, storage, prefix, leaf: request.nextLeaf() });
}

/** Sources of the visible entries of segments, in the order given, values in the codecs of today. */
async function readers(
  place: SegmentPlace,
  segments: readonly SegmentRef[],
  codecs: CodecKnowledge | undefined,
): Promise<EntrySource[]> {
  const sources: EntrySource[] = [];
  for (const ref of segments) {
    sources.push(await openEntries(place, ref, codecs));
  }
  return sources;
}

/**
 * The visible entries of a segment, values in the codecs of today.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the segment is not what the manifest says
 */
export async function openEntries(
  place: SegmentPlace,
  ref: SegmentRef,
  codecs: CodecKnowledge | undefined,
): Promise<EntrySource> {
  const reader = await openSegment(place, ref);
  for (const { stateId, codecVersion } of codecs === undefined ? [] : reader.index.states) {
    const expected = codecs?.versionIn(ref, stateId);
    if (expected === undefined || expected === codecVersion) continue;
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `Segment and manifest disagree about the codec of a state. name=${quoted(ref.name)} state=${stateId} version=${codecVersion} expected=${expected}. Restore another retained checkpoint.`,
    );
  }
  const conversions = codecs?.of(ref);
  const entries = reader.entries(ref.keyGroups);
  return conversions === undefined || conversions.size === 0 ? entries : migratedEntries(entries, conversions);
}

/** @throws {StateBackendError} CHECKPOINT_CORRUPT if the segment is not what the manifest says */
export function openSegment(place: SegmentPlace, ref: SegmentRef): Promise<SegmentReader> {
  return SegmentReader.open(place.storage, { ...ref, name: place.prefix + ref.name, identity: ref.name });
}
