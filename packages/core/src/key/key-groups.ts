/**
 * Key groups, the unit of rescaling: which group a key falls in, and sets of groups.
 *
 * Invariants:
 * - A group is an integer from 0 to maxParallelism-1, and maxParallelism is at most 32,768.
 * - A set keeps its ranges ascending, disjoint and as long as possible, so equal sets have equal ranges.
 *
 * @see docs/formats.md#key-groups
 */

import { corruptBytes } from "../bytes/byte-reader.js";

/** The largest number of key groups, as in Flink: a group fits two bytes. */
export const PARALLELISM_MAX = 32_768;

/** Name of the hash that key groups are made of, as it stands in manifests. */
export const KEY_HASH = "murmur3-32";

/** Where state that belongs to no key is kept: above every key group of every job. */
export const OPERATOR_GROUP = 0xffff;

/** Key groups from `first` to `last`, both included. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

/** The key group of a key with the unsigned 32-bit `hash`. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  return (hash >>> 0) % maxParallelism;
}

/** An immutable set of key groups. */
export class KeyGroups implements Iterable<number> {
  /** Ascending, disjoint, not adjacent. */
  readonly ranges: readonly KeyGroupRange[];
  /** How many groups the set has. */
  readonly count: number;
  readonly #firsts: readonly number[];
  readonly #lasts: readonly number[];

  private constructor(ranges: readonly KeyGroupRange[]) {
    this.ranges = Object.freeze(ranges.map(({ first, last }) => Object.freeze({ first, last })));
    this.count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    this.#firsts = ranges.map(({ first }) => first);
    this.#lasts = ranges.map(({ last }) => last);
  }

  /**
   * The union of `ranges`, which may overlap and come in any order.
   * @throws {RangeError} if a range is empty or not inside 0 to 65,535
   */
  static of(ranges: Iterable<KeyGroupRange>): KeyGroups {
    const sorted = [...ranges].sort((a, b) => a.first - b.first);
    const merged: KeyGroupRange[] = [];
    for (const range of sorted) {
      checkRange(range);
      const previous = merged.at(-1);
      if (previous === undefined || range.first > previous.last + 1) merged.push(range);
      else merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) };
    }
    return new KeyGroups(merged);
  }

  /**
   * Every group of a job with `maxParallelism`.
   * @throws {RangeError} if it is not an integer from 1 to 32,768
   */
  static all(maxParallelism: number): KeyGroups {
    checkMaxParallelism(maxParallelism);
    return new KeyGroups([{ first: 0, last: maxParallelism - 1 }]);
  }

  /**
   * The inverse of `toJSON`.
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if `json` is not what `toJSON` returns
   */
  static fromJSON(json: unknown): KeyGroups {
    if (!Array.isArray(json) || json.length > PARALLELISM_MAX) throw corruptGroups(json);
    const ranges: KeyGroupRange[] = [];
    let next = 0;
    for (const pair of json as unknown[]) {
      const range = parsePair(pair);
      if (range === undefined || range.first < next) throw corruptGroups(json);
      ranges.push(range);
      next = range.last + 2;
    }
    return new KeyGroups(ranges);
  }

  /** Whether `group` is in the set. */
  has(group: number): boolean {
    const lasts = this.#lasts;
    let low = 0;
    let high = lasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((lasts[middle] as number) < group) low = middle + 1;
      else high = middle;
    }
    return low < lasts.length && (this.#firsts[low] as number) <= group;
  }

  /** The groups in both sets. */
  intersect(other: KeyGroups): KeyGroups {
    const common: KeyGroupRange[] = [];
    let left = 0;
    let right = 0;
    while (left < this.ranges.length && right < other.ranges.length) {
      const a = this.ranges[left] as KeyGroupRange;
      const b = other.ranges[right] as KeyGroupRange;
      const first = Math.max(a.first, b.first);
      const last = Math.min(a.last, b.last);
      if (first <= last) common.push({ first, last });
      if (a.last < b.last) left++;
      else right++;
    }
    return new KeyGroups(common);
  }

  /** Whether `other` has every group of this set. */
  isSubsetOf(other: KeyGroups): boolean {
    return this.intersect(other).count === this.count;
  }

  /** Whether both sets have the same groups. */
  equals(other: KeyGroups): boolean {
    if (this.ranges.length !== other.ranges.length) return false;
    return this.ranges.every(({ first, last }, index) => {
      const range = other.ranges[index] as KeyGroupRange;
      return range.first === first && range.last === last;
    });
  }

  /** The groups, ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const { first, last } of this.ranges) {
      for (let group = first; group <= last; group++) yield group;
    }
  }

  /** `[[first, last], …]`, ascending. */
  toJSON(): [first: number, last: number][] {
    return this.ranges.map(({ first, last }) => [first, last]);
  }
}

/**
 * The groups of each of `parallelism` tasks: contiguous, ascending, sizes differing by at most one.
 * @throws {RangeError} unless 1 <= parallelism <= maxParallelism <= 32,768
 * @see Flink `KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex`
 */
export function splitKeyGroups(maxParallelism: number, parallelism: number): KeyGroups[] {
  checkMaxParallelism(maxParallelism);
  if (!Number.isInteger(parallelism) || parallelism < 1 || parallelism > maxParallelism) {
    throw new RangeError(
      `Parallelism out of range. expected=an integer from 1 to ${maxParallelism} received=${parallelism}. ` +
        "Run fewer tasks, or a new job with a higher maxParallelism.",
    );
  }
  return Array.from({ length: parallelism }, (_, index) => {
    const first = Math.floor((index * maxParallelism + parallelism - 1) / parallelism);
    const last = Math.floor(((index + 1) * maxParallelism - 1) / parallelism);
    return KeyGroups.of([{ first, last }]);
  });
}

/**
 * Checks the number of key groups of a job.
 * @throws {RangeError} if it is not an integer from 1 to 32,768
 */
export function checkMaxParallelism(maxParallelism: number): void {
  if (Number.isInteger(maxParallelism) && maxParallelism >= 1 && maxParallelism <= PARALLELISM_MAX) return;
  throw new RangeError(
    `maxParallelism out of range. expected=an integer from 1 to ${PARALLELISM_MAX} received=${maxParallelism}. ` +
      "Use 128 unless you need more tasks than that.",
  );
}

function isGroup(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= OPERATOR_GROUP;
}

function checkRange({ first, last }: KeyGroupRange): void {
  if (isGroup(first) && isGroup(last) && first <= last) return;
  throw new RangeError(
    `Key-group range is not valid. expected=0 <= first <= last <= ${OPERATOR_GROUP} received=[${first}, ${last}]. ` +
      "Pass inclusive ranges of integers.",
  );
}

function parsePair(pair: unknown): KeyGroupRange | undefined {
  if (!Array.isArray(pair) || pair.length !== 2) return undefined;
  const [first, last] = pair as unknown[];
  return isGroup(first) && isGroup(last) && first <= last ? { first, last } : undefined;
}

function corruptGroups(json: unknown): Error {
  const count = Array.isArray(json) ? json.length : "none";
  return corruptBytes("key groups are not ascending, separate [first, last] pairs", `ranges=${count}`);
}
