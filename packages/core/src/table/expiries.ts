/**
 * When the cells of a state expire, kept beside the cells themselves: a read that is told that nothing has expired yet looks no further.
 *
 * A cell has a slot, and the slots are linked in the order of their expiries. Stamps are written as time goes on, all with one time to
 * live, so a new one goes to the end; only what a restore brought has to be sorted, once. It has a list of its own, since a
 * shorter time to live may have been declared meanwhile.
 *
 * Invariants:
 * - `first` is not above the expiry of any cell.
 * - A cell that never expires is not here.
 */

import { assert } from "../assert.js";
import type { KeyIdentity } from "../contracts/codec.js";
import { CellIndex } from "./cell-index.js";
import { NEVER } from "./stamped.js";

// Slots that stand for the two lists: each is a ring through one of these, so that linking knows no ends.
const RESTORED = 0;
const STAMPED = 1;
const LISTS = 2;

const SLOTS_MIN = 1024;
/** A slot is a float64 and two int32, side by side: one place in memory. */
const SLOT_BYTES = 16;

export class Expiries {
  /** The lowest expiry; infinite if there is none, and less than it is while what was restored is not in order. */
  first = Number.POSITIVE_INFINITY;
  readonly #slots = new CellIndex<number>();
  /** By slot; `undefined` for lists and free slots. */
  readonly #identities: (KeyIdentity | undefined)[] = [undefined, undefined];
  readonly #free: number[] = [];
  #expiries = new Float64Array(0);
  /** Of a slot: the slot before it and the one behind it, at 4 * slot + 2 and + 3. */
  #links = new Int32Array(0);

  constructor() {
    this.#resize(SLOTS_MIN);
    for (const list of [RESTORED, STAMPED]) {
      this.#expiries[2 * list] = Number.POSITIVE_INFINITY;
      this.#linkAlone(list);
    }
  }

  /** When the cell expires. */
  of(identity: KeyIdentity): number {
    const slot = this.#slots.get(identity);
    return slot === undefined ? NEVER : (this.#expiries[2 * slot] as number);
  }

  /** The cell was stamped: its expiry is not below that of any that was stamped before. */
  set(identity: KeyIdentity, expiry: number): void {
    if (expiry === NEVER) {
      this.delete(identity);
      return;
    }
    const known = this.#slots.get(identity);
    if (known !== undefined && this.#expiries[2 * known] === expiry) return;
    const slot = known ?? this.#add(identity);
    this.#unlink(slot);
    this.#expiries[2 * slot] = expiry;
    this.#append(slot, STAMPED);
    this.#findFirst();
  }

  delete(identity: KeyIdentity): void {
    const slot = this.#slots.get(identity);
    if (slot === undefined) return;
    this.#unlink(slot);
    this.#slots.delete(identity);
    this.#identities[slot] = undefined;
    this.#free.push(slot);
    this.#findFirst();
  }

  /** As `set`, for what a restore brings, in any order. */
  load(identity: KeyIdentity, expiry: number): void {
    if (expiry === NEVER) {
      this.delete(identity);
      return;
    }
    const slot = this.#slots.get(identity) ?? this.#add(identity);
    this.#unlink(slot);
    this.#linkAlone(slot);
    this.#expiries[2 * slot] = expiry;
    this.first = Number.NEGATIVE_INFINITY;
  }

  /** A cell that has expired at `now`, the earliest first; `undefined` if there is none. */
  dueAt(now: number): KeyIdentity | undefined {
    if (this.first === Number.NEGATIVE_INFINITY) this.#order();
    if (this.first > now) return undefined;
    const restored = this.#links[4 * RESTORED + 3] as number;
    const isRestored = this.#expiries[2 * restored] === this.first;
    return this.#identities[isRestored ? restored : (this.#links[4 * STAMPED + 3] as number)];
  }

  #add(identity: KeyIdentity): number {
    const slot = this.#free.pop() ?? this.#identities.length;
    if (2 * slot >= this.#expiries.length) this.#resize(2 * slot);
    this.#identities[slot] = identity;
    this.#slots.set(identity, slot);
    this.#linkAlone(slot);
    return slot;
  }

  #linkAlone(slot: number): void {
    this.#links[4 * slot + 2] = slot;
    this.#links[4 * slot + 3] = slot;
  }

  #append(slot: number, list: number): void {
    const links = this.#links;
    const last = links[4 * list + 2] as number;
    assert(
      last === list || (this.#expiries[2 * last] as number) <= (this.#expiries[2 * slot] as number),
      "time goes on",
    );
    links[4 * slot + 2] = last;
    links[4 * slot + 3] = list;
    links[4 * last + 3] = slot;
    links[4 * list + 2] = slot;
  }

  #unlink(slot: number): void {
    const links = this.#links;
    const before = links[4 * slot + 2] as number;
    const behind = links[4 * slot + 3] as number;
    links[4 * before + 3] = behind;
    links[4 * behind + 2] = before;
  }

  #findFirst(): void {
    if (this.first === Number.NEGATIVE_INFINITY) return;
    const restored = this.#expiries[2 * (this.#links[4 * RESTORED + 3] as number)] as number;
    const stamped = this.#expiries[2 * (this.#links[4 * STAMPED + 3] as number)] as number;
    this.first = restored < stamped ? restored : stamped;
  }

  /** Links all slots anew, by expiry. */
  #order(): void {
    const slots: number[] = [];
    for (let slot = LISTS; slot < this.#identities.length; slot++) {
      if (this.#identities[slot] !== undefined) slots.push(slot);
    }
    this.#linkAlone(RESTORED);
    this.#linkAlone(STAMPED);
    for (const slot of ascending(Uint32Array.from(slots), (slot) => this.#expiries[2 * slot] as number)) {
      this.#append(slot, RESTORED);
    }
    this.first = Number.POSITIVE_INFINITY;
    this.#findFirst();
  }

  #resize(slots: number): void {
    const memory = new ArrayBuffer(slots * SLOT_BYTES);
    const expiries = new Float64Array(memory);
    expiries.set(this.#expiries);
    this.#expiries = expiries;
    this.#links = new Int32Array(memory);
  }
}

const DIGIT = 2 ** 16;

/** `slots` in the order of their numbers, safe integers: by one digit after the other, from the lowest on. */
function ascending(slots: Uint32Array, numberOf: (slot: number) => number): Uint32Array {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const slot of slots) {
    least = Math.min(least, numberOf(slot));
    most = Math.max(most, numberOf(slot));
  }
  // So far apart that their difference is not exact.
  if (most - least > Number.MAX_SAFE_INTEGER) return slots.sort((a, b) => numberOf(a) - numberOf(b));
  let sorted = slots;
  for (let unit = 1; unit <= most - least; unit *= DIGIT) {
    const digitOf = (slot: number): number => Math.floor((numberOf(slot) - least) / unit) % DIGIT;
    const ends = new Uint32Array(DIGIT + 1);
    for (const slot of sorted) (ends[digitOf(slot) + 1] as number) += 1;
    for (let digit = 0; digit < DIGIT; digit++) (ends[digit + 1] as number) += ends[digit] as number;
    const next = new Uint32Array(sorted.length);
    for (const slot of sorted) next[(ends[digitOf(slot)] as number)++] = slot;
    sorted = next;
  }
  return sorted;
}
