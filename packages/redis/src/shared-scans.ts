/**
 * Scans of parts of a key group that are asked for at about the same time go through it once: a hash has no order, so that each alone goes through all of it.
 *
 * Invariants:
 * - A pass begins after the call that it answers: it sees everything that was applied before.
 */

import type { BinaryKey, StoreEntry } from "@tidemark/core";
import type { GroupRecord } from "./group-record.js";

/** Keys from `start` up to `end`, which all begin with `prefix`. */
export interface Part {
  readonly start: BinaryKey;
  readonly end: BinaryKey;
  readonly prefix: BinaryKey;
}

/** Reads parts of a key group; the results in the order of the parts. */
export type Pass = (record: GroupRecord, parts: readonly Part[]) => Promise<readonly (readonly StoreEntry[])[]>;

interface Question {
  readonly part: Part;
  readonly resolve: (entries: readonly StoreEntry[]) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedScans {
  readonly #pass: Pass;
  readonly #asked = new Map<GroupRecord, Question[]>();
  readonly #underWay = new Map<GroupRecord, Promise<void>>();

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  read(record: GroupRecord, part: Part): Promise<readonly StoreEntry[]> {
    return new Promise((resolve, reject) => {
      const question = { part, resolve, reject };
      const asked = this.#asked.get(record);
      if (asked !== undefined) {
        asked.push(question);
        return;
      }
      this.#asked.set(record, [question]);
      const before = this.#underWay.get(record) ?? Promise.resolve();
      const pass = before
        .then(() => this.#answer(record))
        .finally(() => {
          if (this.#underWay.get(record) === pass) this.#underWay.delete(record);
        });
      this.#underWay.set(record, pass);
    });
  }

  async #answer(record: GroupRecord): Promise<void> {
    const asked = this.#asked.get(record) ?? [];
    this.#asked.delete(record);
    try {
      const results = await this.#pass(
        record,
        asked.map(({ part }) => part),
      );
      for (const [index, { resolve }] of asked.entries()) resolve(results[index] ?? []);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

/** Tells to which of some parts a key belongs. */
export class PartIndex {
  readonly #parts: readonly Part[];
  /** Places in the list of parts, by prefix. */
  readonly #byPrefix = new Map<string, number[]>();
  readonly #lengths: readonly number[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    for (const [index, { prefix }] of parts.entries()) {
      const places = this.#byPrefix.get(prefix);
      if (places === undefined) this.#byPrefix.set(prefix, [index]);
      else places.push(index);
    }
    this.#lengths = [...new Set(parts.map(({ prefix }) => prefix.length))];
  }

  /** What all keys of all parts begin with. */
  get commonPrefix(): BinaryKey {
    let common: string = this.#parts[0]?.prefix ?? "";
    for (const { prefix } of this.#parts) while (!prefix.startsWith(common)) common = common.slice(0, -1);
    return common as BinaryKey;
  }

  placesOf(key: BinaryKey): readonly number[] {
    if (this.#parts.length === 1) return this.#holds(0, key) ? FIRST : NONE;
    const places: number[] = [];
    for (const length of this.#lengths) {
      // A key that is shorter is its own slice, and was looked up by that already.
      if (length > key.length) continue;
      for (const place of this.#byPrefix.get(key.slice(0, length)) ?? []) {
        if (this.#holds(place, key)) places.push(place);
      }
    }
    return places;
  }

  #holds(place: number, key: BinaryKey): boolean {
    const { start, end } = this.#parts[place] as Part;
    return key >= start && key < end;
  }
}

const FIRST: readonly number[] = [0];
const NONE: readonly number[] = [];
