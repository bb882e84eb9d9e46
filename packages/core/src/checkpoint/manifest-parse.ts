/** From parsed JSON to a manifest, every field checked. The document may have been written by anyone. */

import { checkMaxParallelism, KeyGroups } from "../key/key-groups.js";
import type { TimeSeen } from "../table/task-time.js";
import type {
  CodecName,
  FormerCodecRef,
  Manifest,
  OperatorManifest,
  SegmentRef,
  StateManifest,
  TaskManifest,
  TtlManifest,
} from "./manifest.js";
import { isSegmentLeaf } from "./names.js";

/** @throws {TypeError} naming the field that is wrong; the caller says of which manifest */
export function parseManifestBody(json: unknown): Manifest {
  const body = record(json, "manifest");
  const kind = text(body, "kind");
  if (kind !== "checkpoint" && kind !== "savepoint") throw new TypeError(`kind=${kind}`);
  const attempt = record(body["attempt"], "attempt");
  return {
    job: text(body, "job"),
    kind,
    checkpoint: count(body, "checkpoint"),
    attempt: { number: count(attempt, "number"), nonce: hex(attempt, "nonce", 32) },
    parent: body["parent"] === null ? null : count(body, "parent"),
    retains: items(body, "retains", (id) => count({ id }, "id")),
    createdAt: count(body, "createdAt"),
    durationMs: amount(body, "durationMs"),
    fullBytes: count(body, "fullBytes"),
    incrementalBytes: count(body, "incrementalBytes"),
    operators: items(body, "operators", parseOperator),
  };
}

function parseOperator(json: unknown): OperatorManifest {
  const operator = record(json, "operator");
  const maxParallelism = count(operator, "maxParallelism");
  checkMaxParallelism(maxParallelism);
  const states = items(operator, "states", parseState);
  if (new Set(states.map(({ id }) => id)).size !== states.length) throw new TypeError("two states have one id");
  return {
    name: text(operator, "name"),
    maxParallelism,
    keyHash: text(operator, "keyHash"),
    key: parseCodec(operator["key"]),
    states,
    tasks: items(operator, "tasks", parseTask),
  };
}

function parseState(json: unknown): StateManifest {
  const state = record(json, "state");
  const id = count(state, "id");
  if (id > 0xffff) throw new TypeError(`state id=${id}`);
  return {
    id,
    name: text(state, "name"),
    kind: text(state, "kind"),
    codec: parseCodec(state["codec"]),
    ...(state["namespace"] === undefined ? {} : { namespace: parseCodec(state["namespace"]) }),
    ...(state["field"] === undefined ? {} : { field: parseCodec(state["field"]) }),
    ...(state["ttl"] === undefined ? {} : { ttl: parseTtl(state["ttl"]) }),
  };
}

function parseTtl(json: unknown): TtlManifest {
  const ttl = record(json, "ttl");
  const time = text(ttl, "time");
  if (time !== "processing" && time !== "event") throw new TypeError(`ttl time=${time}`);
  return { ms: count(ttl, "ms"), time };
}

function parseTask(json: unknown): TaskManifest {
  const task = record(json, "task");
  return {
    keyGroups: KeyGroups.fromJSON(task["keyGroups"]),
    segments: items(task, "segments", parseSegment),
    ...(task["time"] === undefined ? {} : { time: parseTime(task["time"]) }),
  };
}

function parseTime(json: unknown): TimeSeen {
  const time = record(json, "time");
  const { watermark } = time;
  if (watermark !== null && !Number.isSafeInteger(watermark)) throw new TypeError("watermark is not an integer");
  return { processing: count(time, "processing"), watermark: watermark as number | null };
}

function parseSegment(json: unknown): SegmentRef {
  const segment = record(json, "segment");
  const name = text(segment, "name");
  if (!isSegmentLeaf(name)) throw new TypeError("a segment's name is not one of ours");
  return {
    name,
    bytes: count(segment, "bytes"),
    sha256: hex(segment, "sha256", 64),
    indexBytes: count(segment, "indexBytes"),
    indexSha256: hex(segment, "indexSha256", 64),
    entries: count(segment, "entries"),
    tombstones: count(segment, "tombstones"),
    level: count(segment, "level"),
    keyGroups: KeyGroups.fromJSON(segment["keyGroups"]),
    visibleBytes: count(segment, "visibleBytes"),
    ...(segment["former"] === undefined ? {} : { former: items(segment, "former", parseFormer) }),
  };
}

function parseFormer(json: unknown): FormerCodecRef {
  const former = record(json, "former");
  return { state: count(former, "state"), codec: parseCodec(former["codec"]) };
}

function parseCodec(json: unknown): CodecName {
  const codec = record(json, "codec");
  return { id: text(codec, "id"), version: count(codec, "version") };
}

function record(json: unknown, what: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new TypeError(`${what} is not an object`);
  return json as Record<string, unknown>;
}

function items<T>(from: Record<string, unknown>, field: string, parse: (json: unknown) => T): T[] {
  const list = from[field];
  if (!Array.isArray(list)) throw new TypeError(`${field} is not a list`);
  return list.map((item: unknown) => parse(item));
}

function text(from: Record<string, unknown>, field: string): string {
  const value = from[field];
  if (typeof value !== "string") throw new TypeError(`${field} is not text`);
  return value;
}

function hex(from: Record<string, unknown>, field: string, digits: number): string {
  const value = text(from, field);
  if (value.length !== digits || !/^[0-9a-f]*$/.test(value)) {
    throw new TypeError(`${field} is not ${digits} hex digits`);
  }
  return value;
}

function count(from: Record<string, unknown>, field: string): number {
  const value = from[field];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError(`${field} is not a count`);
  return value as number;
}

function amount(from: Record<string, unknown>, field: string): number {
  const value = from[field];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new TypeError(`${field} is not an amount`);
  }
  return value;
}
