/**
 * Decides how a new delta joins a chain of segments. Pure arithmetic.
 *
 * Size-tiered, fan-out 8: eight segments of a level become one of the next. The base is rewritten when the deltas outweigh it,
 * or when most of the chain is dead. So a restore reads at most about twice the live state, and a chain has at most 16
 * segments. An entry is uploaded about three times at the most where a checkpoint changes a hundredth of the state or more;
 * below that more often, by the logarithm of the share.
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
  return keep + 1 <= SEGMENTS_MAX ? { keep, level } : shorten(chain, deltaBytes);
}

/**
 * The chain has more levels than there is room for: at least half of what is not the base becomes one. A segment that outweighs
 * all behind it is left alone, so that an entry is written again a number of times that grows with the logarithm of their number.
 */
function shorten(chain: readonly ChainLink[], deltaBytes: number): CompactionPlan {
  const bases = chain.filter(({ level }) => level === BASE_LEVEL).length;
  if (bases >= SEGMENTS_MAX) return REWRITE;
  let keep = Math.floor((bases + SEGMENTS_MAX) / 2);
  while (keep > bases && (chain[keep - 1]?.visibleBytes ?? 0) < sum(chain.slice(keep)) + deltaBytes) keep--;
  const above = chain[keep - 1]?.level ?? BASE_LEVEL;
  return { keep, level: Math.min((chain[keep]?.level ?? 0) + 1, above, BASE_LEVEL - 1) };
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
