/** Where a store is: what opening it gives. */

import { hasCode, type TaskScope } from "@tidemark/core";
import { BatchWriter } from "./batch-writer.js";
import { GroupMarks } from "./group-marks.js";
import type { LevelSpace } from "./level-space.js";
import { markerText } from "./marker.js";

/** A place that this process has for itself until it is released. */
export interface ClaimedPlace {
  /** Once; what it needs beyond the claim is released with the claim, also if it fails. */
  open(): Promise<OpenPlace>;
  release(): Promise<void>;
}

/** What is there, ready to be read and changed. */
export interface OpenPlace {
  readonly space: LevelSpace;
  readonly marks: GroupMarks;
  /** @see Store.emptyBecause */
  readonly emptyBecause?: string | undefined;
}

/** Takes the place of a scope, or says who or what is in the way. What is stored there is not touched. */
export type Place = (scope: TaskScope) => Promise<ClaimedPlace>;

/** Names of the records about a store: its format, the marks of its groups, and why it is not to be trusted. */
export const FORMAT_RECORD = "format";
export const GROUPS_RECORD = "groups";
export const TAINTED_RECORD = "tainted";

/** What a database says of itself. */
export interface Contents {
  /** Whose it is; `undefined` if it does not say. */
  readonly format: string | undefined;
  readonly marks: GroupMarks;
  /** Why there are no marks. */
  readonly unusable?: string;
}

/** Reads what a database says of itself. */
export async function readContents(space: LevelSpace): Promise<Contents> {
  let format: string | undefined;
  try {
    format = textOf(await space.readRecord(FORMAT_RECORD));
    const tainted = textOf(await space.readRecord(TAINTED_RECORD));
    if (tainted !== undefined) {
      return { format, marks: GroupMarks.none, unusable: `damage was found earlier: ${tainted}` };
    }
    const bytes = await space.readRecord(GROUPS_RECORD);
    const marks = bytes === undefined ? undefined : GroupMarks.fromBytes(bytes);
    return marks === undefined
      ? { format, marks: GroupMarks.none, unusable: "its record of key groups is missing" }
      : { format, marks };
  } catch (error) {
    if (!hasCode(error, "CHECKPOINT_CORRUPT")) throw error;
    return { format, marks: GroupMarks.none, unusable: "its own records are damaged, or an older version wrote them" };
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** Makes the records of an empty store of `scope`, durably. */
export async function writeContents(space: LevelSpace, scope: TaskScope): Promise<void> {
  const writer = new BatchWriter(space);
  writer.record(FORMAT_RECORD, Buffer.from(markerText(scope)));
  await writer.end(GROUPS_RECORD, GroupMarks.none.toBytes());
}
