/**
 * Rewrites the entries of states whose time to live was turned on or off, when they are restored.
 *
 * Invariants:
 * - On: every value is stamped with one expiry. Off: what has expired becomes a deletion, the rest loses its expiry.
 */

import { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import {
  type EntryBlock,
  type EntrySource,
  FLAG_CLEAR,
  FLAG_DELETE,
  FLAG_EXPIRES,
  FLAG_PACKED,
} from "../segment/entry-block.js";
import { eachPackedField, PackedFieldWriter } from "../segment/packed-fields.js";
import type { WatermarkOf } from "../state/sweep.js";
import { expiryOf } from "../state/ttl.js";
import { isExpired, readExpiry } from "../table/stamped.js";
import type { TaskTime } from "../table/task-time.js";

/** What becomes of the values of a state. */
export interface TtlChange {
  readonly isList: boolean;
  /** What everything is stamped with; `undefined` if the time to live was turned off. */
  readonly expiry: number | undefined;
  /** What time it was for the state in the task that a key group comes from. */
  readonly nowOf: (group: number) => number;
}

/** The changes between an operator as checkpointed and as declared, by state id; most often none. */
export function ttlChanges(
  source: OperatorManifest,
  declared: readonly StateManifest[],
  time: TaskTime,
  watermarkOf: WatermarkOf | undefined,
): ReadonlyMap<number, TtlChange> {
  const before = new Map(source.states.map((state) => [state.id, state]));
  const changes = new Map<number, TtlChange>();
  for (const { id, kind, ttl } of declared) {
    const known = before.get(id);
    const either = ttl ?? known?.ttl;
    if (known === undefined || either === undefined || (ttl === undefined) === (known.ttl === undefined)) continue;
    const isEvent = either.time === "event";
    const now = isEvent ? (time.watermark ?? Number.NEGATIVE_INFINITY) : time.processing();
    const nowOf = (group: number): number => (isEvent ? (watermarkOf?.(group) ?? now) : now);
    changes.set(id, { isList: kind === "list", expiry: ttl === undefined ? undefined : expiryOf(now, ttl.ms), nowOf });
  }
  return changes;
}

/** The entries of `source`, converted. */
export async function* convertTtl(source: EntrySource, changes: ReadonlyMap<number, TtlChange>): EntrySource {
  const out = new ByteWriter();
  for await (const block of source) yield convertedBlock(block, changes, out);
}

function convertedBlock(block: EntryBlock, changes: ReadonlyMap<number, TtlChange>, out: ByteWriter): EntryBlock {
  out.reset();
  const flags: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < block.count; at++) {
    const flag = block.flags[at] as number;
    const key = block.keys[at] as BinaryKey;
    const change = changes.get(readUint16(key, 2));
    const value = new ByteReader(block.bytes, block.starts[at], block.ends[at]);
    starts.push(out.length);
    if (change === undefined || (flag & FLAG_DELETE) !== 0) {
      out.bytes(value.view(value.remaining));
      flags.push(flag);
      ends.push(out.length);
      continue;
    }
    const judged = { expiry: change.expiry, now: change.nowOf(readUint16(key, 0)) };
    if (change.isList) {
      flags.push(flag | (convertList(value, judged, out) ? 0 : FLAG_DELETE));
    } else {
      const convert = (flag & FLAG_PACKED) === 0 ? convertValue : convertFields;
      flags.push(convert(value, judged, out) ? flagOf(flag, change) : (flag & FLAG_CLEAR) | FLAG_DELETE);
    }
    ends.push(out.length);
  }
  return { count: block.count, keys: block.keys, flags, bytes: out.view(), starts, ends };
}

function flagOf(flag: number, { expiry }: TtlChange): number {
  return expiry === undefined ? flag & ~FLAG_EXPIRES : flag | FLAG_EXPIRES;
}

/** What becomes of the values of one key group. */
interface Judged {
  readonly expiry: number | undefined;
  readonly now: number;
}

/** Whether there is still a value. */
function convertValue(value: ByteReader, { expiry, now }: Judged, out: ByteWriter): boolean {
  if (expiry !== undefined) out.float64(expiry);
  else if (isExpired(readExpiry(value), now)) return false;
  out.bytes(value.view(value.remaining));
  return true;
}

/** Whether there are still fields. The latest expiry stands in front of them if they expire. */
function convertFields(packed: ByteReader, judged: Judged, out: ByteWriter): boolean {
  if (judged.expiry === undefined) readExpiry(packed);
  else out.float64(judged.expiry);
  const start = out.length;
  const fields = new PackedFieldWriter(out);
  eachPackedField(packed, (field, value) => {
    const converted = new ByteWriter();
    if (convertValue(value, judged, converted)) {
      fields.begin(field);
      out.bytes(converted.view());
      fields.end();
    } else {
      value.skip(value.remaining);
    }
  });
  return out.length > start;
}

/** Whether there are still elements. */
function convertList(value: ByteReader, judged: Judged, out: ByteWriter): boolean {
  const kept: Buffer[] = [];
  for (let left = value.varint(); left > 0; left--) {
    const element = new ByteWriter();
    if (convertValue(value.limited(value.varint()), judged, element)) kept.push(element.take());
  }
  if (kept.length === 0) return false;
  out.varint(kept.length);
  for (const element of kept) {
    out.varint(element.length);
    out.bytes(element);
  }
  return true;
}
