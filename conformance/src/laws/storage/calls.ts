/**
 * Programs of calls against a map: the law that finds what no example thought of. Few names are used often, bodies have lengths
 * around the usual limits, and a program that fails is made as small as possible.
 */

import fc from "fast-check";
import type { Program } from "../../runner/law.js";

export type Call =
  | {
      readonly kind: "put";
      readonly handle: number;
      readonly name: number;
      readonly body: number;
      readonly ifAbsent: boolean;
      readonly chunks: number;
    }
  | {
      readonly kind: "get";
      readonly handle: number;
      readonly name: number;
      readonly start: number;
      readonly length: number;
    }
  | { readonly kind: "list"; readonly handle: number; readonly prefix: number }
  | { readonly kind: "remove"; readonly handle: number; readonly names: readonly number[] }
  | { readonly kind: "race"; readonly name: number; readonly count: number }
  | { readonly kind: "read while put"; readonly name: number; readonly body: number }
  | { readonly kind: "reopen"; readonly handle: number };

/** No name continues another; their beginnings are alike. The first few are chosen most. */
export const NAMES = [
  "job/owner/1",
  "job/owner/2",
  "job/segment/1",
  "job/segment/10",
  "jobs/owner/1",
  "job-/owner/1",
  "job.0/owner/1",
  "0",
  "x".repeat(120),
  `${"long/".repeat(40)}name`,
  `deep/${"d/".repeat(30)}leaf`,
] as const;

export const PREFIXES = [
  "",
  "job/",
  "job/owner/",
  "job/segment/",
  "jobs/",
  "job-/",
  "none/",
  "long/",
  "deep/d/",
] as const;

/** Lengths of bodies; number 7 is below 4096, and so on: around every usual limit. */
export const LENGTHS = [
  1, 0, 2, 100, 255, 256, 257, 4_095, 4_096, 4_097, 16_384, 65_535, 65_536, 65_537, 200_000,
] as const;

const handle = fc.nat(1);
const name = fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(NAMES.length - 1) });
const body = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(LENGTHS.length - 1) });

const puts = fc.record({
  kind: fc.constant("put" as const),
  handle,
  name,
  body,
  ifAbsent: fc.boolean(),
  chunks: fc.nat(4),
});
const gets = fc.record({
  kind: fc.constant("get" as const),
  handle,
  name,
  start: fc.oneof(fc.constant(0), fc.nat(5_000)),
  length: fc.oneof(fc.constant(-1), fc.nat(70_000)),
});

export const calls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 10, arbitrary: puts },
  { weight: 5, arbitrary: gets },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("list" as const), handle, prefix: fc.nat(PREFIXES.length - 1) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), handle, names: fc.array(name, { maxLength: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("race" as const), name, count: fc.integer({ min: 2, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("read while put" as const), name, body }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reopen" as const), handle }) },
);

export const nameOf = (index: number): string => NAMES[index] ?? NAMES[0];

/** The program as a person reads it, and as code. */
export function programOf(given: readonly Call[], isShared: boolean): Program {
  const storageOf = (index: number): string => (isShared && index === 1 ? "other" : "storage");
  return { lines: given.map((call) => lineOf(call, storageOf)), code: given.map((call) => codeOf(call, storageOf)) };
}

function lineOf(call: Call, storageOf: (handle: number) => string): string {
  switch (call.kind) {
    case "put":
      return `${storageOf(call.handle)}: put ${shown(call.name)}, ${lengthOf(call.body)} bytes${call.ifAbsent ? ", if absent" : ""}${call.chunks > 0 ? `, in ${call.chunks} chunks` : ""}`;
    case "get":
      return `${storageOf(call.handle)}: get ${shown(call.name)}${call.length < 0 ? "" : `, ${call.length} bytes from ${call.start}`}`;
    case "list":
      return `${storageOf(call.handle)}: list ${JSON.stringify(PREFIXES[call.prefix])}`;
    case "remove":
      return `${storageOf(call.handle)}: remove ${call.names.map(shown).join(", ") || "nothing"}`;
    case "race":
      return `${call.count} concurrent puts of ${shown(call.name)}, if absent`;
    case "read while put":
      return `put ${shown(call.name)}, ${lengthOf(call.body)} bytes, with a reader beside it`;
    case "reopen":
      return `${storageOf(call.handle)}: close and open again`;
  }
}

function codeOf(call: Call, storageOf: (handle: number) => string): string {
  switch (call.kind) {
    case "put":
      return `await ${storageOf(call.handle)}.put(${quotedName(call.name)}, ${bodyCode(call.body)}${call.ifAbsent ? ", { ifAbsent: true }" : ""});`;
    case "get": {
      const range = call.length < 0 ? "" : `, { start: ${call.start}, end: ${call.start + call.length} }`;
      return `for await (const chunk of ${storageOf(call.handle)}.get(${quotedName(call.name)}${range})) console.log(chunk.length);`;
    }
    case "list":
      return `for await (const object of ${storageOf(call.handle)}.list(${JSON.stringify(PREFIXES[call.prefix])})) console.log(object);`;
    case "remove":
      return `await ${storageOf(call.handle)}.remove([${call.names.map(quotedName).join(", ")}]);`;
    case "race":
      return `console.log(await Promise.all(Array.from({ length: ${call.count} }, (_, i) => storage.put(${quotedName(call.name)}, Buffer.from(String(i)), { ifAbsent: true }))));`;
    case "read while put":
      return `await storage.put(${quotedName(call.name)}, ${bodyCode(call.body)});`;
    case "reopen":
      return `await ${storageOf(call.handle)}.close(); ${storageOf(call.handle)} = await harness.reopen(place);`;
  }
}

export const lengthOf = (index: number): number => LENGTHS[index] ?? 1;

const quotedName = (index: number): string => JSON.stringify(nameOf(index));

const bodyCode = (index: number): string => `new Uint8Array(${lengthOf(index)}).fill(${index + 1})`;

function shown(index: number): string {
  const text = nameOf(index);
  return text.length <= 30 ? text : `${text.slice(0, 12)}…(${text.length} characters)`;
}
