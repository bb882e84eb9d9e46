/** The key of a row of one state, as bytes: as a store has it, with key group and state id before it. */

import { ByteWriter } from "../bytes/byte-writer.js";
import { type BinaryKey, EMPTY_KEY, readUint16 } from "../key/binary-key.js";
import { keyGroupOf } from "../key/key-groups.js";
import { murmur3 } from "../key/murmur3.js";
import type { Address } from "../table/address.js";
import { CELL_OFFSET } from "../table/state-table.js";

/** One key after the other, in the same memory: there is one for each access to state. */
export class RowKey {
  readonly #stateId: number;
  readonly #address: Address;
  readonly #maxParallelism: number;
  readonly #out = new ByteWriter();
  /** The one that it is of; a text or a number, or nothing. */
  #key: unknown;
  #namespace = EMPTY_KEY;
  #hash = 0;
  #group = 0;

  constructor(stateId: number, address: Address, maxParallelism: number) {
    this.#stateId = stateId;
    this.#address = address;
    this.#maxParallelism = maxParallelism;
  }

  /** The memory that the key is at the beginning of. */
  get memory(): Buffer {
    return this.#out.memory;
  }

  get length(): number {
    return this.#out.length;
  }

  /** Of key and namespace, 32 bits with a sign. */
  get hash(): number {
    return this.#hash;
  }

  get group(): number {
    return this.#group;
  }

  /** The key as text. */
  get text(): BinaryKey {
    return this.#out.memory.toString("latin1", 0, this.#out.length) as BinaryKey;
  }

  /**
   * From here on it is the key of a cell.
   * @throws {StateBackendError} VALUE_INVALID if `key` is none of the state
   */
  set(key: unknown, namespace: BinaryKey): void {
    // What is read is often written next.
    if (this.is(key, namespace)) return;
    this.#key = undefined;
    const out = this.#out;
    out.reset();
    out.uint16(0);
    out.uint16(this.#stateId);
    this.#address.write(key, out);
    let hash = murmur3(out.memory, CELL_OFFSET, out.length);
    this.#group = keyGroupOf(hash, this.#maxParallelism);
    out.patchUint8(0, this.#group >>> 8);
    out.patchUint8(1, this.#group);
    if (namespace !== EMPTY_KEY) {
      out.latin1(namespace);
      hash = murmur3(out.memory, CELL_OFFSET, out.length);
    }
    this.#hash = hash | 0;
    // Others may be changed from outside.
    if (typeof key !== "string" && typeof key !== "number") return;
    this.#key = key;
    this.#namespace = namespace;
  }

  /** Whether it is known, without more ado, that it is the key of a cell. */
  is(key: unknown, namespace: BinaryKey): boolean {
    return key === this.#key && namespace === this.#namespace && key !== undefined;
  }

  /** From here on it is the key that `text` is, in full. */
  setText(text: BinaryKey, hash: number): void {
    this.#key = undefined;
    this.#out.reset();
    this.#out.latin1(text);
    this.#group = readUint16(text, 0);
    this.#hash = hash;
  }
}
