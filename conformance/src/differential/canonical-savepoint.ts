/** A savepoint as lines of text that do not depend on who wrote it, when, or in which form. */

import type { CheckpointStorage } from "@tidemark/core";
import { parseManifest, readObject } from "../oracles/stored-objects.js";
import { canonicalRows, type EntryState } from "./canonical-entries.js";
import { readSegment, type SegmentClaim } from "./read-segment.js";

interface Codec {
  readonly id: string;
  readonly version: number;
}

interface StateDocument {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly codec: Codec;
  readonly namespace?: Codec;
  readonly field?: Codec;
  readonly ttl?: { readonly ms: number; readonly time: "processing" | "event" };
}

interface TaskDocument {
  readonly keyGroups: readonly (readonly [number, number])[];
  readonly segments: readonly (SegmentClaim & {
    readonly former?: readonly { readonly state: number; readonly codec: Codec }[];
  })[];
  readonly time?: { readonly processing: number; readonly watermark: number | null };
}

interface SavepointDocument {
  readonly createdAt: number;
  readonly operators: readonly {
    readonly name: string;
    readonly maxParallelism: number;
    readonly keyHash: string;
    readonly key: Codec;
    readonly states: readonly StateDocument[];
    readonly tasks: readonly TaskDocument[];
  }[];
}

/**
 * What is in the savepoint: of each operator its declaration, then task by task each row in ascending order. Ids of checkpoints
 * and states, names of segments and times of the clock are left out.
 * @throws {Error} if it is not whole
 */
export async function canonicalSavepoint(storage: CheckpointStorage): Promise<readonly string[]> {
  const manifest = parseManifest(await readObject(storage, "savepoint")) as unknown as SavepointDocument;
  const { operators, createdAt } = manifest;
  const lines: string[] = [];
  for (const { tasks, states, ...about } of operators) {
    lines.push(JSON.stringify(about), ...states.map(declarationOf).sort());
    const byId = new Map(states.map((state) => [state.id, state]));
    for (const { time, ...task } of tasks) {
      // Who looks at the clock more often has seen a later time: that is no content, and what expired by it is gone anyway.
      const processing = Math.max(time?.processing ?? 0, createdAt);
      lines.push(
        ...(await linesOfTask(storage, { ...task, time: { processing, watermark: time?.watermark ?? null } }, byId)),
      );
    }
  }
  return lines;
}

function declarationOf({ name, kind, codec, namespace, field, ttl }: StateDocument): string {
  return JSON.stringify([name, kind, codec, namespace ?? null, field ?? null, ttl ?? null]);
}

async function linesOfTask(
  storage: CheckpointStorage,
  { keyGroups, segments, time }: Required<TaskDocument>,
  states: ReadonlyMap<number, StateDocument>,
): Promise<string[]> {
  const rows: string[] = [];
  for (const segment of segments) {
    const entries = readSegment(await readObject(storage, `segment/${segment.name}`), segment);
    const former = new Map(segment.former?.map(({ state, codec }) => [state, codec]));
    for (const { state: id, key, value } of canonicalRows(entries, (state) => aboutState(states.get(state), time))) {
      const codec = former.get(id);
      const format = codec === undefined ? "" : ` in ${codec.id}@${codec.version}`;
      rows.push(`${JSON.stringify(states.get(id)?.name)} ${key.toString("hex")} = ${value.toString("hex")}${format}`);
    }
  }
  return [JSON.stringify({ keyGroups, watermark: time.watermark }), ...rows.sort()];
}

function aboutState(state: StateDocument | undefined, time: Required<TaskDocument>["time"]): EntryState {
  if (state === undefined) throw new Error("A segment has entries of a state that the manifest does not name.");
  const { kind, ttl } = state;
  if (ttl === undefined) return { kind };
  return { kind, expiredAt: ttl.time === "event" ? (time.watermark ?? -Infinity) : time.processing };
}
