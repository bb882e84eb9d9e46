/**
 * A codec for values of an Avro type, as the library avsc has them.
 *
 * Invariants:
 * - What a state has is what decoding its bytes gives, so nothing changes over a restore.
 * - Records and wrapped unions are plain frozen objects; no reader gets memory that the state has.
 *
 * @see docs/formats.md#codecs
 */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { Codec } from "../contracts/codec.js";
import { quoted, StateBackendError } from "../errors.js";
import { findLoss, generatedClasses, holdsMutable, plainFrozen } from "./avro-values.js";
import { evolved, former } from "./evolved.js";
import { memberSegment, placeInValue } from "./value-path.js";

/** What is needed of a `Type` of avsc. */
export interface AvroType {
  readonly name: string | undefined;
  readonly typeName: string;
  isValid(value: unknown, options: AvroCheckOptions): boolean;
  toBuffer(value: unknown): Uint8Array;
  fromBuffer(bytes: Buffer, resolver?: unknown): unknown;
  createResolver(writer: AvroType): unknown;
}

/** How a type is to check a value. */
export interface AvroCheckOptions {
  readonly noUndeclaredFields: boolean;
  readonly errorHook: (path: string[], value: unknown, type: AvroType) => void;
}

/** Names an encoding. */
export interface AvroOptions {
  /** @defaultValue `avro:` and the name of the type, or what it is if it has none: `avro:shop.Order`, `avro:array` */
  readonly id?: string;
  /** From 1. Raise it with every change of the schema that changes bytes. */
  readonly version: number;
  /**
   * Types that the values were stored with before, each with its version.
   * @defaultValue none
   */
  readonly from?: readonly FormerAvroType[];
}

/** A type that values were stored with before. */
export interface FormerAvroType {
  readonly type: AvroType;
  readonly version: number;
  /** @defaultValue the `id` of the current codec if that is given, else as there, from the name of this type */
  readonly id?: string;
}

/**
 * Values that the Avro `type` accepts, in its binary encoding. Values of the types in `from` are read by Avro's rules of schema
 * resolution: new fields get their defaults, removed ones go, numbers widen.
 *
 * Values are copied when stored. Records come back as plain objects whoever made them, `float` rounded to 32 bits, missing fields with their
 * default. A field that the type does not declare is refused.
 * @throws {TypeError} if a part is missing or a former type cannot be resolved to this one
 * @throws {RangeError} if a version is no integer from 1
 */
export function avro<T>(type: AvroType, options: AvroOptions): Codec<T> {
  requireParts(type, options);
  const current = codecOf<T>({ id: options.id ?? defaultId(type), version: options.version, type });
  const formers = (options.from ?? []).map((before) => {
    requireParts(before.type, before);
    const id = before.id ?? options.id ?? defaultId(before.type);
    return former(resolvedCodec<T>({ ...before, id }, type), (resolved) => resolved);
  });
  return formers.length === 0 ? current : evolved(current, ...formers);
}

function codecOf<T>({ id, version, type }: Required<FormerAvroType>): Codec<T> {
  const generated = generatedClasses(type);
  const decode = (bytes: Uint8Array): T => plainFrozen(type.fromBuffer(bufferOf(bytes)), generated) as T;
  return Object.freeze({
    id,
    version,
    own(value: T): T {
      try {
        checkType(id, type, value);
        const owned = decode(type.toBuffer(value));
        checkKept(id, type, { given: value, owned });
        return owned;
      } catch (cause) {
        throw cause instanceof StateBackendError ? cause : failedAt(id, cause);
      }
    },
    handOut: (value: T) => (holdsMutable(value) ? decode(type.toBuffer(value)) : value),
    write: (value, out) => {
      out.bytes(type.toBuffer(value));
    },
    read: (input) => readWith(id, input, decode),
  } satisfies Codec<T>);
}

/** The codec of `before`, but what it reads are values of `type`. */
function resolvedCodec<T>(before: Required<FormerAvroType>, type: AvroType): Codec<T> {
  const resolver = resolverOf(type, before);
  const generated = generatedClasses(type);
  const decode = (bytes: Uint8Array): T => plainFrozen(type.fromBuffer(bufferOf(bytes), resolver), generated) as T;
  return Object.freeze({ ...codecOf<T>(before), read: (input: ByteReader) => readWith(before.id, input, decode) });
}

function readWith<T>(id: string, input: ByteReader, decode: (bytes: Uint8Array) => T): T {
  const bytes = input.bytes(input.remaining);
  try {
    return decode(bytes);
  } catch (cause) {
    throw new StateBackendError(
      "CHECKPOINT_CORRUPT",
      `Stored bytes are not of their Avro type. codec=${quoted(id)} length=${bytes.length}. See the cause; restore another checkpoint, or declare the type that wrote them.`,
      { cause },
    );
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkType(id: string, type: AvroType, value: unknown): void {
  let first: { readonly path: readonly string[]; readonly value: unknown; readonly type: AvroType } | undefined;
  const errorHook: AvroCheckOptions["errorHook"] = (path, found, expected) => {
    first ??= { path, value: found, type: expected };
  };
  if (type.isValid(value, { noUndeclaredFields: true, errorHook })) return;
  const place = placeInValue((first?.path ?? []).map(memberSegment));
  const { typeName, name = typeName } = first?.type ?? type;
  throw new StateBackendError(
    "VALUE_INVALID",
    `A value is not of its Avro type. codec=${quoted(id)} at=${place} expected=${quoted(name)} received=${shown(first?.value)}. Store a value of the type and no undeclared fields, or declare another type.`,
  );
}

function checkKept(id: string, type: AvroType, { given, owned }: { given: unknown; owned: unknown }): void {
  const loss = findLoss(given, owned);
  if (loss !== undefined) {
    throw new StateBackendError(
      "VALUE_INVALID",
      `A value cannot be stored exactly: ${loss.reason}. codec=${quoted(id)} at=${placeInValue(loss.path.map(memberSegment))}. Store plain data.`,
    );
  }
  // Else the checkpoint would be the first to find out.
  checkType(id, type, owned);
}

function failedAt(id: string, cause: unknown): StateBackendError {
  return new StateBackendError(
    "VALUE_INVALID",
    `An Avro type failed at a value. codec=${quoted(id)}. See the cause; store a value that the type can keep.`,
    { cause },
  );
}

function shown(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return quoted(String(value));
  return value === null ? "null" : typeof value;
}

function defaultId({ name, typeName }: AvroType): string {
  return `avro:${name ?? typeName}`;
}

function resolverOf(type: AvroType, before: FormerAvroType): unknown {
  try {
    return type.createResolver(before.type);
  } catch (cause) {
    throw new TypeError(
      `A former Avro type cannot be resolved to the current one. former=${quoted(defaultId(before.type))} version=${before.version} current=${quoted(defaultId(type))}. Give new fields defaults and renamed ones aliases, or declare it with evolved and former.`,
      { cause },
    );
  }
}

function requireParts(type: AvroType, options: { readonly version: number }): void {
  if (typeof type?.toBuffer !== "function" || typeof type.isValid !== "function") {
    throw new TypeError(
      "An Avro codec needs a type of avsc. Pass for example avro(Type.forSchema({ … }), { version: 1 }).",
    );
  }
  if (Number.isSafeInteger(options?.version) && options.version >= 1) return;
  throw new RangeError(
    `The version of an Avro codec is out of range. version=${String(options?.version)} expected=an integer from 1. Begin with 1 and count the changes of the schema.`,
  );
}
