/**
 * Sorting rows by their keys: by numbers that are made of the beginnings of the keys, and by the keys themselves only where those are alike.
 *
 * Invariants:
 * - Of two keys the smaller one never has the greater number.
 * - Equal keys stay in the order in which they come.
 */

import type { Slicer } from "../segment/slicer.js";

/** The keys of rows that are sorted together, by place. */
export interface SortKeys {
  readonly count: number;
  /** With how many units the keys from `from` to `until - 1` begin as the first of all does; at most `limit`. */
  sharedLength(from: number, until: number, limit: number): number;
  /** The lead of a key: a number below 2^40 made of what follows its first `skip` units, which all keys have in common. */
  leadOf(at: number, skip: number): number;
  /** As comparators of `Array.sort`. */
  compare(a: number, b: number): number;
}

/** So many keys are sorted in one go: about 1 ms. Their places among each other fit the bits that a lead leaves of a number. */
const RUN = 2 ** 13;

/** Places of keys, ascending. */
export interface SortedPlaces {
  readonly places: Uint32Array;
  /** Whether the key at `at` in the order is the same as the next one. */
  isSameAsNext(at: number): boolean;
}

/** Sorts keys without holding the event loop for longer than a slice. */
export async function sortKeys(keys: SortKeys, slicer: Slicer): Promise<SortedPlaces> {
  const sorting = new Sorting(keys);
  for (let from = 0; from < keys.count; from += RUN) {
    sorting.share(from);
    if (slicer.isDue()) await slicer.pause();
  }
  for (let from = 0; from < keys.count; from += RUN) {
    sorting.sortRun(from);
    if (slicer.isDue()) await slicer.pause();
  }
  for (let length = RUN; length < keys.count; length *= 2) await sorting.mergeRuns(length, slicer);
  return sorting;
}

/** As `sortKeys`, of few keys. */
export function sortFewKeys(keys: SortKeys): Uint32Array {
  const sorting = new Sorting(keys);
  for (let from = 0; from < keys.count; from += RUN) sorting.share(from);
  for (let from = 0; from < keys.count; from += RUN) sorting.sortRun(from);
  return keys.count <= RUN ? sorting.places : sorting.places.sort((a, b) => sorting.compare(a, b));
}

const packed = new Float64Array(RUN);

class Sorting implements SortedPlaces {
  readonly #keys: SortKeys;
  readonly #leads: Float64Array;
  #places: Uint32Array;
  #shared = Number.POSITIVE_INFINITY;

  constructor(keys: SortKeys) {
    this.#keys = keys;
    this.#leads = new Float64Array(keys.count);
    this.#places = new Uint32Array(keys.count);
  }

  get places(): Uint32Array {
    return this.#places;
  }

  isSameAsNext(at: number): boolean {
    return this.compare(this.#places[at] as number, this.#places[at + 1] as number) === 0;
  }

  compare(a: number, b: number): number {
    const leadA = this.#leads[a] as number;
    const leadB = this.#leads[b] as number;
    if (leadA !== leadB) return leadA < leadB ? -1 : 1;
    return this.#keys.compare(a, b);
  }

  /** Looks how much the keys of a run have in common with the others. */
  share(from: number): void {
    this.#shared = this.#keys.sharedLength(from, this.#untilOf(from), this.#shared);
  }

  sortRun(from: number): void {
    const until = this.#untilOf(from);
    const run = packed.subarray(0, until - from);
    for (let at = from; at < until; at++) {
      const lead = this.#keys.leadOf(at, this.#shared);
      this.#leads[at] = lead;
      run[at - from] = lead * RUN + (at - from);
    }
    run.sort();
    for (let at = from; at < until; at++) {
      const both = run[at - from] as number;
      this.#places[at] = from + both - Math.floor(both / RUN) * RUN;
    }
    this.#sortTies(from, until);
  }

  async mergeRuns(length: number, slicer: Slicer): Promise<void> {
    const source = this.#places;
    const target = new Uint32Array(source.length);
    for (let from = 0; from < source.length; from += 2 * length) {
      const middle = Math.min(source.length, from + length);
      const until = Math.min(source.length, from + 2 * length);
      let left = from;
      let right = middle;
      for (let at = from; at < until; at++) {
        const a = source[left] as number;
        const b = source[right] as number;
        const isLeft = right >= until || (left < middle && this.compare(a, b) <= 0);
        target[at] = isLeft ? a : b;
        if (isLeft) left++;
        else right++;
        if (at % RUN === 0 && slicer.isDue()) await slicer.pause();
      }
    }
    this.#places = target;
  }

  #untilOf(from: number): number {
    return Math.min(this.#keys.count, from + RUN);
  }

  /** Keys with the same lead stand side by side. */
  #sortTies(from: number, until: number): void {
    for (let first = from; first < until; ) {
      const lead = this.#leads[this.#places[first] as number];
      let next = first + 1;
      while (next < until && this.#leads[this.#places[next] as number] === lead) next++;
      if (next - first > 1) this.#places.subarray(first, next).sort((a, b) => this.#keys.compare(a, b) || a - b);
      first = next;
    }
  }
}

/** A lead has so many units below 256, or two and the high half of a third one. */
const LEAD_BYTES = 5;

/** Keys as text that sorts as they do. */
export class TextKeys implements SortKeys {
  readonly #texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  get count(): number {
    return this.#texts.length;
  }

  sharedLength(from: number, until: number, limit: number): number {
    const first = this.#texts[0] ?? "";
    let shared = Math.min(limit, first.length);
    for (let at = from; at < until && shared > 0; at++) {
      const text = this.#texts[at] as string;
      let same = 0;
      while (same < shared && same < text.length && text.charCodeAt(same) === first.charCodeAt(same)) same++;
      shared = same;
    }
    return shared;
  }

  leadOf(at: number, skip: number): number {
    const text = this.#texts[at] as string;
    return unitAt(this.#texts[0] as string, skip) > 0xff ? wideLead(text, skip) : narrowLead(text, skip);
  }

  compare(a: number, b: number): number {
    const textA = this.#texts[a] as string;
    const textB = this.#texts[b] as string;
    return textA < textB ? -1 : textA === textB ? 0 : 1;
  }
}

function wideLead(text: string, skip: number): number {
  return (unitAt(text, skip) * 0x1_0000 + unitAt(text, skip + 1)) * 0x100 + (unitAt(text, skip + 2) >>> 8);
}

/** Behind a unit that is too great all are: what follows must not decide. */
function narrowLead(text: string, skip: number): number {
  let lead = 0;
  let isFull = false;
  for (let at = skip; at < skip + LEAD_BYTES; at++) {
    const unit = unitAt(text, at);
    isFull ||= unit > 0xff;
    lead = lead * 0x100 + (isFull ? 0xff : unit);
  }
  return lead;
}

/** A missing unit sorts as U+0000 does; then the text decides. */
function unitAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}
