/**
 * Codecs of the formats of values: each takes over what the one before it has written.
 *
 * Invariants:
 * - The bytes of no format are those of another.
 */

import { type ByteReader, type ByteWriter, type Codec, evolved, former, structured } from "@tidemark/core";
import type { StateKind } from "../model/catalog.js";
import { migrated } from "../model/migrations.js";

/** The codec of a kind of state in a format. */
export type CodecOf = (kind: StateKind, format: number) => Codec<unknown>;

/** Format 0 is the default codec. */
export function codecOf(kind: StateKind, format: number): Codec<unknown> {
  if (format === 0) return structured();
  return evolved(
    bareCodec(format),
    former(codecOf(kind, format - 1), (old) => migrated(kind, old, format)),
  );
}

/** Reads and writes one format, and knows no other. */
export function bareCodec(format: number): Codec<unknown> {
  const inner = structured<Wrapped>();
  return {
    ...structured(),
    id: "kit",
    version: format,
    write(value, out: ByteWriter) {
      inner.write(format % 2 === 0 ? { value } : [value], out);
    },
    read(input: ByteReader) {
      const wrapped = inner.read(input);
      if (Array.isArray(wrapped) !== (format % 2 === 1)) throw new Error(`These are not bytes of format ${format}.`);
      return Array.isArray(wrapped) ? (wrapped[0] as unknown) : (wrapped as { readonly value: unknown }).value;
    },
  };
}

type Wrapped = readonly [unknown] | { readonly value: unknown };
