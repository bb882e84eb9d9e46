/**
 * Decides how a new delta joins a chain of segments. Pure arithmetic.
 *
 * Size-tiered, fan-out 8: eight segments of a level become one of the next. The base is rewritten when the deltas outweigh it,
 * or when most of the chain is dead. So a restore reads at most about twice the live state, a chain has at most 16
 * segments, and an entry is uploaded about three times at the most.
 * @see docs/decisions/0003-compaction-before-publish.md for the simulation and the measurements
 */

/** Level of a segment that stands on nothing older. */
export const BASE_LEVEL = 255;
const FAN_OUT = 8;
/** No chain is longer. */
export const SEGMENTS_MAX = 16;

export interface ChainLink {
  readonly level: number;
  readonly visibleBytes: number;
}

export interface CompactionInput {
  /** Oldest first; levels never rise from one to the next. */
  readonly chain: readonly ChainLink[];
  /** Estimated length of the delta as a segment. */
  readonly deltaBytes: number;
  /** Estimated length of the whole state as one segment. */
  readonly liveBytes: number;
}

export interface CompactionPlan {
  /** This many of the oldest segments stay; the others are merged with the delta. */
  readonly keep: number;
  /** Level of the segment that is written. */
  readonly level: number;
}

const REWRITE: CompactionPlan = Object.freeze({ keep: 0, level: BASE_LEVEL });

export function planCompaction({ chain, deltaBytes, liveBytes }: CompactionInput): CompactionPlan {
  const baseBytes = sum(chain.filter(({ level }) => level === BASE_LEVEL));
  const restBytes = sum(chain.filter(({ level }) => level !== BASE_LEVEL)) + deltaBytes;
  if (restBytes > baseBytes || baseBytes + restBytes > 2 * liveBytes) return REWRITE;
  let keep = chain.length;
  let level = 0;
  while (true) {
    const same = trailing(chain, keep, level);
    if (same < FAN_OUT - 1) break;
    keep -= same;
    level++;
  }
  if (keep + 1 <= SEGMENTS_MAX) return { keep, level };
  const bases = chain.findIndex((link) => link.level !== BASE_LEVEL);
  return bases >= 0 && bases < SEGMENTS_MAX ? { keep: bases, level: (chain[bases]?.level ?? 0) + 1 } : REWRITE;
}

function sum(links: readonly ChainLink[]): number {
  return links.reduce((total, { visibleBytes }) => total + visibleBytes, 0);
}

/** How many segments of `level` end the first `length` segments. */
function trailing(chain: readonly ChainLink[], length: number, level: number): number {
  let count = 0;
  while (count < length && chain[length - 1 - count]?.level === level) count++;
  return count;
}
