/**
 * How values and keys become bytes.
 *
 * Invariants of every codec:
 * - `read(write(v))` equals `v` under SameValueZero, structurally.
 * - `(id, version)` names one encoding for ever. It stands in every manifest.
 */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { BinaryKey } from "../key/binary-key.js";

/** Encoding of the values of a state. */
export interface Codec<T> {
  readonly id: string;
  /** Counts the changes of the encoding, from 1. */
  readonly version: number;
  /**
   * Takes `value` into the state's ownership, synchronously, before anything changes: checks that it can be stored exactly,
   * and returns a value that the caller cannot change any more (frozen in place, or a copy).
   * @throws {StateBackendError} VALUE_INVALID if it cannot be stored exactly
   */
  own(value: T): T;
  /**
   * What a reader gets of an owned value: by default the value itself, which nobody can change. A codec whose values cannot be
   * frozen (a `Date`, a `Map`, bytes) gives a copy.
   */
  handOut?(value: T): T;
  /** Appends the encoding of a value that `own` returned. */
  write(value: T, out: ByteWriter): void;
  /**
   * Reads a value up to the reader's end.
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if the bytes are not an encoding
   */
  read(input: ByteReader): T;
  /** Codecs whose values this one takes over. Declare them with `evolved`. */
  readonly former?: readonly FormerCodec<T>[];
}

/** A codec that a state had before, and how its values become values of today. */
export interface FormerCodec<T> {
  readonly codec: Codec<unknown>;
  /** Pure: the same old value gives equal values, whenever and however often it is called. */
  migrate(old: unknown): T;
}

/** Encoding of keys, namespaces and fields. */
export interface KeyCodec<K> {
  readonly id: string;
  readonly version: number;
  /**
   * Self-delimiting bytes: none is a prefix of another, and unsigned byte order is the order of keys.
   * @throws {StateBackendError} VALUE_INVALID if the key cannot be kept exactly
   */
  encode(key: K): BinaryKey;
  /** Appends what `encode` gives, if that is cheaper than to make it. Throws as `encode`. */
  write?(key: K, out: ByteWriter): void;
  /** The key that begins at `offset`, and where it ends. */
  decode(source: BinaryKey, offset: number): DecodedKey<K>;
  /**
   * A primitive that stands for the key in a `Map`: equal under SameValueZero exactly when the encodings are equal.
   * @throws {StateBackendError} VALUE_INVALID as `encode`
   */
  identity(key: K): KeyIdentity;
  /** Whether `identity` gives every valid key as it is (-0 as 0). */
  readonly isOwnIdentity?: true;
  /**
   * Text that sorts (`<`) among its like as the encodings do, if that is cheaper to have than the encoding.
   * @defaultValue the encoding
   */
  sortKey?(identity: KeyIdentity): string;
  /** murmur3-32 of `encode(key)`, unsigned. @see docs/formats.md#key-groups */
  hash(key: K): number;
  /** The key that `identity` was made from. */
  fromIdentity(identity: KeyIdentity): K;
  /** Codecs whose keys this one takes over. Declare them with `evolvedKey`. */
  readonly former?: readonly FormerKeyCodec<K>[];
}

/** A codec that keys, namespaces or fields had before, and how they become those of today. */
export interface FormerKeyCodec<K> {
  readonly codec: KeyCodec<unknown>;
  /** Pure, and no two old keys give the same one. */
  migrate(old: unknown): K;
}

export interface DecodedKey<K> {
  readonly key: K;
  readonly end: number;
}

export type KeyIdentity = string | number | bigint;
