/**
 * Keys as the written rule encodes them, for the order of enumerations and for key groups.
 *
 *   string   UTF-8, each byte 00 as 00 FF, then 00 01
 *   number   IEEE 754, 8 bytes big-endian; the sign bit of numbers >= 0 is set, all bits of numbers < 0 are inverted
 *   field    a tag byte (false 01, true 02, number 03, string 05), then the encoding of that type
 *
 * Invariants:
 * - Encodings are carried as strings of characters U+0000 to U+00FF: `<` on them is unsigned byte order.
 */

import { murmur3 } from "./murmur3.js";

/** Keys that the kit uses. */
export type ModelKey = string | number;
/** Fields of maps that the kit uses. */
export type ModelField = string | number | boolean;

/** Encodings of few keys are asked for millions of times. */
const KNOWN_MAX = 10_000;
const encodings = new Map<ModelKey, string>();
const fields = new Map<ModelField, string>();
const hashes = new Map<ModelKey, number>();
/** By namespace and key. */
const addresses = new Map<string, Map<ModelKey, string>>();

export function encodeKey(key: ModelKey): string {
  // A map does not tell -0 from 0, and they are one key; it knows NaN.
  return known(encodings, key, () => (typeof key === "string" ? encodeString(key) : encodeNumber(key)));
}

export function encodeField(field: ModelField): string {
  if (typeof field === "boolean") return field ? "\u0002" : "\u0001";
  const encode = (): string =>
    typeof field === "number" ? `\u0003${encodeNumber(field)}` : `\u0005${encodeString(field)}`;
  return known(fields, field, encode);
}

/** Of a key in a namespace. */
export function cellAddress(key: ModelKey, namespace: string): string {
  const inNamespace = known(addresses, namespace, () => new Map<ModelKey, string>());
  return known(inNamespace, key, () => `${encodeKey(key)}${encodeKey(namespace)}`);
}

/** The key group of a key. */
export function keyGroup(key: ModelKey, maxParallelism: number): number {
  return known(hashes, key, () => murmur3(Buffer.from(encodeKey(key), "latin1"))) % maxParallelism;
}

function known<Key, Value>(values: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = values.get(key);
  if (found !== undefined) return found;
  const value = make();
  if (values.size >= KNOWN_MAX) values.clear();
  values.set(key, value);
  return value;
}

/** Which task owns each key group. */
export type Owners = readonly number[];

/** The owners where `parallelism` tasks have even contiguous shares. */
export function evenOwners(maxParallelism: number, parallelism: number): Owners {
  return Array.from({ length: parallelism }, (_, task) => {
    const bound = (index: number): number => Math.ceil((index * maxParallelism) / parallelism);
    return Array.from({ length: bound(task + 1) - bound(task) }, () => task);
  }).flat();
}

/** How many tasks own key groups. */
export function taskCount(owners: Owners): number {
  return Math.max(...owners) + 1;
}

/** The key groups of a task, ascending. */
export function groupsOf(owners: Owners, task: number): number[] {
  return owners.flatMap((owner, group) => (owner === task ? [group] : []));
}

function encodeString(text: string): string {
  return `${Buffer.from(text, "utf8").toString("latin1").replaceAll("\u0000", "\u0000\u00ff")}\u0000\u0001`;
}

function encodeNumber(number: number): string {
  const bytes = Buffer.alloc(8);
  // There is one zero and one NaN.
  bytes.writeDoubleBE(Number.isNaN(number) ? Number.NaN : number + 0);
  const isNegative = (bytes[0] ?? 0) >= 0x80;
  for (const [index, byte] of bytes.entries()) {
    bytes[index] = isNegative ? byte ^ 0xff : byte ^ (index === 0 ? 0x80 : 0);
  }
  return bytes.toString("latin1");
}
