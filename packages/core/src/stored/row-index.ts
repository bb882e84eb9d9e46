/**
 * Where rows are, by the hash of their keys: open addressing, eight bytes a slot.
 *
 * Invariants:
 * - From the slot that a hash begins at to the slot of its row, or to a free one, no slot is free.
 */

const SLOTS_MIN = 64;
/** 2^32 divided by the golden ratio: spreads hashes that differ in few bits, as those of some key groups alone do. */
const SPREAD = 0x9e37_79b1;

export class RowIndex {
  /** Hash and address of each slot; the address 0 is that of none. */
  #slots = new Int32Array(2 * SLOTS_MIN);
  #mask = SLOTS_MIN - 1;
  #shift = 32 - Math.log2(SLOTS_MIN);
  #count = 0;

  /** Rows that it knows. */
  get count(): number {
    return this.#count;
  }

  /** Where to look for a row with `hash`: here, and in `next` of it, up to a slot whose address is 0. */
  first(hash: number): number {
    return Math.imul(hash, SPREAD) >>> this.#shift;
  }

  next(slot: number): number {
    return (slot + 1) & this.#mask;
  }

  hashAt(slot: number): number {
    return this.#slots[2 * slot] as number;
  }

  addressAt(slot: number): number {
    return this.#slots[2 * slot + 1] as number;
  }

  /** The slot of a row that is known to be at `address`, or -1. */
  slotOf(hash: number, address: number): number {
    for (let slot = this.first(hash); ; slot = this.next(slot)) {
      const known = this.addressAt(slot);
      if (known === address) return slot;
      if (known === 0) return -1;
    }
  }

  /** The row of a slot has another address now. */
  move(slot: number, address: number): void {
    this.#slots[2 * slot + 1] = address;
  }

  /** Takes in a row that it does not know. */
  add(hash: number, address: number): void {
    // Up to three quarters full; then twice as many slots.
    if (4 * (this.#count + 1) > 3 * (this.#mask + 1)) this.#resize(2 * (this.#mask + 1));
    this.#count++;
    this.#put(hash, address);
  }

  /** Frees a slot. Rows behind it that were not at their first place move up. */
  remove(slot: number): void {
    this.#count--;
    let free = slot;
    for (let at = this.next(slot); this.addressAt(at) !== 0; at = this.next(at)) {
      const home = this.first(this.hashAt(at));
      if (((at - home) & this.#mask) < ((at - free) & this.#mask)) continue;
      this.#slots[2 * free] = this.hashAt(at);
      this.#slots[2 * free + 1] = this.addressAt(at);
      free = at;
    }
    this.#slots[2 * free + 1] = 0;
    if (this.#mask >= SLOTS_MIN && 8 * this.#count < this.#mask) this.#resize((this.#mask + 1) / 2);
  }

  #put(hash: number, address: number): void {
    let slot = this.first(hash);
    while (this.addressAt(slot) !== 0) slot = this.next(slot);
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = address;
  }

  #resize(slots: number): void {
    const before = this.#slots;
    this.#slots = new Int32Array(2 * slots);
    this.#mask = slots - 1;
    this.#shift = 32 - Math.log2(slots);
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] !== 0) this.#put(before[at] as number, before[at + 1] as number);
    }
  }
}
