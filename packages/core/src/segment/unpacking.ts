/**
 * Stands behind a merge: a packed entry stays as it is if nothing newer of its cell follows, else its fields become entries.
 *
 * Invariants:
 * - Entries come in the order of keys. What follows under the key of a packed entry came after it, and wins.
 * - What comes out has no entry under the key of a packed one. So nothing has to be kept because it deletes a packed field.
 */

import { ByteReader } from "../bytes/byte-reader.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { type EntryBlock, FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES, FLAG_PACKED } from "./entry-block.js";
import { eachPackedField } from "./packed-fields.js";

/** Where entries go: entry `at` of a block that is valid during the call. */
export type EntrySink = (block: EntryBlock, at: number) => void;

export interface UnpackingOptions {
  /** Whether nothing older stands below, so that deletions need not be kept. */
  readonly dropTombstones: boolean;
  /** Whether no packed entry may come out. */
  readonly unpacksAll: boolean;
}

const EXPIRY_BYTES = 8;
const NO_BYTES = Buffer.alloc(0);

export class Unpacking {
  readonly #sink: EntrySink;
  readonly #options: UnpackingOptions;
  readonly #reader = new ByteReader(NO_BYTES);
  #bytes: Buffer = Buffer.allocUnsafeSlow(512);
  /** The packed entry that waits for what follows. */
  #held: EntryBlock | undefined;
  /** Its fields, the next one last, once it has been unpacked. */
  #fields: EntryBlock[] | undefined;

  constructor(sink: EntrySink, options: UnpackingOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  readonly take: EntrySink = (block, at) => {
    const key = block.keys[at] as BinaryKey;
    if (this.#held !== undefined) {
      if (key.startsWith(this.#held.keys[0] as BinaryKey)) this.#follow(key);
      else this.flush();
    }
    const flags = block.flags[at] as number;
    if ((flags & FLAG_PACKED) !== 0) this.#hold(block, at);
    else if (!this.#options.dropTombstones || (flags & FLAG_DELETE) === 0) this.#sink(block, at);
  };

  /** There is nothing more, or nothing more of the cell. */
  flush(): void {
    const held = this.#held;
    if (held === undefined) return;
    if (this.#options.unpacksAll) this.#fields ??= this.#unpack(held);
    if (this.#fields === undefined) this.#sink(held, 0);
    for (let field = this.#fields?.pop(); field !== undefined; field = this.#fields?.pop()) this.#sink(field, 0);
    this.#held = undefined;
    this.#fields = undefined;
  }

  /** The bytes of a block are gone when the next entry comes. */
  #hold(block: EntryBlock, at: number): void {
    const start = block.starts[at] as number;
    const end = block.ends[at] as number;
    if (end - start > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow((end - start) * 2);
    block.bytes.copy(this.#bytes, 0, start, end);
    const { keys, flags } = { keys: [block.keys[at] as BinaryKey], flags: [block.flags[at] as number] };
    this.#held = { count: 1, keys, flags, bytes: this.#bytes, starts: [0], ends: [end - start] };
  }

  /** Lets the fields before `key` out; the one at `key` is replaced or deleted. */
  #follow(key: BinaryKey): void {
    const fields = (this.#fields ??= this.#unpack(this.#held as EntryBlock));
    for (let next = fields.at(-1); next !== undefined && (next.keys[0] as BinaryKey) <= key; next = fields.at(-1)) {
      fields.pop();
      if (next.keys[0] !== key) this.#sink(next, 0);
    }
  }

  /** The clear goes out, the fields are given, the first one last. */
  #unpack(held: EntryBlock): EntryBlock[] {
    const cell = held.keys[0] as BinaryKey;
    const flags = (held.flags[0] as number) & FLAG_EXPIRES;
    if (!this.#options.dropTombstones) this.#sink(entry(cell, FLAG_CLEAR | FLAG_DELETE), 0);
    const start = flags === 0 ? 0 : EXPIRY_BYTES;
    this.#reader.reset(held.bytes, start, held.ends[0]);
    const fields: EntryBlock[] = [];
    eachPackedField(this.#reader, (field, value) => {
      const range: readonly [number, number] = [value.position, value.end];
      fields.push(entry(joinKeys(cell, field), flags, { bytes: held.bytes, range }));
      value.skip(value.remaining);
    });
    return fields.reverse();
  }
}

interface EntryValue {
  readonly bytes: Buffer;
  readonly range: readonly [number, number];
}

function entry(key: BinaryKey, flags: number, value: EntryValue = { bytes: NO_BYTES, range: [0, 0] }): EntryBlock {
  const [start, end] = value.range;
  return { count: 1, keys: [key], flags: [flags], bytes: value.bytes, starts: [start], ends: [end] };
}

/** An entry without a value that deletes, and clears if `flags` do. */
export function tombstone(key: BinaryKey, flags: number): EntryBlock {
  return entry(key, (flags & FLAG_CLEAR) | FLAG_DELETE);
}
