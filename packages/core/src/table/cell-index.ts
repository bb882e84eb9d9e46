/**
 * What a state holds per key, by the key's identity.
 *
 * One `Map` serves all key groups: a lookup then needs neither the encoded key nor its hash. V8's `Map` ends at 2^24 entries, so
 * there are as many as it takes.
 * @see docs/decisions/0002-one-index-per-state.md for the measurements
 */

import type { KeyIdentity } from "../contracts/codec.js";

/** Half of what a `Map` can hold: beyond it, inserting means copying a gigabyte at once. */
const ENTRIES_PER_MAP = 2 ** 23;

export class CellIndex<Content> {
  readonly #first = new Map<KeyIdentity, Content>();
  /** All maps, the first included. */
  readonly #maps: Map<KeyIdentity, Content>[] = [this.#first];

  get size(): number {
    return this.#maps.reduce((sum, { size }) => sum + size, 0);
  }

  get(identity: KeyIdentity): Content | undefined {
    const content = this.#first.get(identity);
    return content !== undefined || this.#maps.length === 1 ? content : this.#getFromRest(identity);
  }

  /** Adds an entry, or replaces its content. Whether it was added: that costs nothing, while asking before costs a lookup. */
  set(identity: KeyIdentity, content: Content): boolean {
    const isSole = this.#maps.length === 1 && this.#first.size < ENTRIES_PER_MAP;
    const map = isSole ? this.#first : this.#mapFor(identity);
    const before = map.size;
    map.set(identity, content);
    return map.size !== before;
  }

  delete(identity: KeyIdentity): void {
    for (const map of this.#maps) if (map.delete(identity)) return;
  }

  *entries(): Generator<readonly [KeyIdentity, Content], void, undefined> {
    for (const map of this.#maps) yield* map.entries();
  }

  *identities(): Generator<KeyIdentity, void, undefined> {
    for (const map of this.#maps) yield* map.keys();
  }

  *contents(): Generator<Content, void, undefined> {
    for (const map of this.#maps) yield* map.values();
  }

  #getFromRest(identity: KeyIdentity): Content | undefined {
    for (let i = 1; i < this.#maps.length; i++) {
      const content = this.#maps[i]?.get(identity);
      if (content !== undefined) return content;
    }
    return undefined;
  }

  /** The map that has the entry, else one with room. */
  #mapFor(identity: KeyIdentity): Map<KeyIdentity, Content> {
    const found = this.#maps.find((map) => map.has(identity)) ?? this.#maps.find((map) => map.size < ENTRIES_PER_MAP);
    if (found !== undefined) return found;
    const added = new Map<KeyIdentity, Content>();
    this.#maps.push(added);
    return added;
  }
}
