/** Key codecs from an encoding alone: the encoding is the identity, and its murmur3 the hash. */

import type { DecodedKey, KeyCodec } from "../contracts/codec.js";
import type { BinaryKey } from "./binary-key.js";
import { murmur3OfKey } from "./murmur3.js";

/** What a key codec of your own consists of. */
export interface KeyEncoding<K> {
  /** Unique and stable; it stands in every manifest. */
  readonly id: string;
  /** Counts the changes of the encoding, from 1. */
  readonly version: number;
  /**
   * Bytes that sort as the keys do, none a prefix of another. Equal keys have equal bytes, and only those.
   * @throws {StateBackendError} VALUE_INVALID if the key cannot be kept exactly
   */
  encode(key: K): BinaryKey;
  /**
   * The key that begins at `offset`, and where it ends.
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if no key does
   */
  decode(source: BinaryKey, offset: number): DecodedKey<K>;
}

/** A key codec whose identity is the encoded key. */
export function keyCodec<K>(encoding: KeyEncoding<K>): KeyCodec<K> {
  const { id, version } = encoding;
  const encode = (key: K): BinaryKey => encoding.encode(key);
  const decode = (source: BinaryKey, offset: number): DecodedKey<K> => encoding.decode(source, offset);
  return Object.freeze({
    id,
    version,
    encode,
    decode,
    identity: encode,
    hash: (key) => murmur3OfKey(encode(key)),
    fromIdentity: (identity) => decode(identity as BinaryKey, 0).key,
  } satisfies KeyCodec<K>);
}

/** The type of the keys of a codec. */
export type KeyOf<C> = C extends KeyCodec<infer K> ? K : never;
