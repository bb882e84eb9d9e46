/**
 * How a record key and a namespace become the key of a cell.
 *
 * Invariants:
 * - Without namespaces the cell's identity is the key's own; with them it is the encoded key followed by the encoded namespace.
 */

import type { ByteWriter } from "../bytes/byte-writer.js";
import type { KeyCodec, KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY, joinKeys } from "../key/binary-key.js";

export class Address {
  readonly key: KeyCodec<unknown>;
  readonly namespace: KeyCodec<unknown> | undefined;

  /** Whether a valid key is its own identity, so that it can be looked up as it is. */
  readonly isDirect: boolean;

  constructor(key: KeyCodec<unknown>, namespace: KeyCodec<unknown> | undefined) {
    this.key = key;
    this.namespace = namespace;
    this.isDirect = namespace === undefined && key.isOwnIdentity === true;
  }

  /** `namespace` is encoded, or empty for states without namespaces. */
  identity(key: unknown, namespace: BinaryKey): KeyIdentity {
    return this.namespace === undefined ? this.key.identity(key) : joinKeys(this.key.encode(key), namespace);
  }

  encode(identity: KeyIdentity): BinaryKey {
    return this.namespace === undefined ? this.key.encode(this.key.fromIdentity(identity)) : (identity as BinaryKey);
  }

  /** Appends the encoding of `key`: what `hash` is of. */
  write(key: unknown, out: ByteWriter): void {
    if (this.key.write === undefined) out.latin1(this.key.encode(key));
    else this.key.write(key, out);
  }

  /** Text that sorts among its like as the encodings do. */
  sortKey(identity: KeyIdentity): string {
    if (this.namespace !== undefined || this.key.sortKey === undefined) return this.encode(identity);
    return this.key.sortKey(identity);
  }

  /** The cell whose encoding begins at `offset`, and where it ends. */
  decode(source: BinaryKey, offset: number): { readonly identity: KeyIdentity; readonly end: number } {
    const { key, end } = this.key.decode(source, offset);
    if (this.namespace === undefined) return { identity: this.key.identity(key), end };
    const whole = this.namespace.decode(source, end).end;
    return { identity: source.slice(offset, whole), end: whole };
  }

  /** murmur3-32 of the encoded key. */
  hash(identity: KeyIdentity): number {
    return this.key.hash(this.keyOf(identity));
  }

  keyOf(identity: KeyIdentity): unknown {
    return this.namespace === undefined
      ? this.key.fromIdentity(identity)
      : this.key.decode(identity as BinaryKey, 0).key;
  }

  /** The encoded namespace of a cell; empty for states without. */
  namespaceOf(identity: KeyIdentity): BinaryKey {
    if (this.namespace === undefined) return EMPTY_KEY;
    const encoded = identity as BinaryKey;
    return encoded.slice(this.key.decode(encoded, 0).end) as BinaryKey;
  }
}
