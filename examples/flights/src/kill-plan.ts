/** When to kill. */

export interface PlannedKill {
  /** Not before so many flights have been processed. */
  readonly position: number;
  /** "upload": at the first checkpoint that starts from there on, so many milliseconds after its start. */
  readonly aim: "processing" | "upload";
  readonly delayMs: number;
}

export interface PlanSettings {
  readonly events: number;
  readonly checkpointEvery: number;
  readonly kills: number;
  readonly seed: number;
}

const UPLOAD_DELAY_MS_MAX = 10;

/** Kills in ascending order, one in each of equal parts of the run from the first checkpoint on; every second aims at an upload. */
export function planKills({ events, checkpointEvery, kills, seed }: PlanSettings): PlannedKill[] {
  const random = seededRandom(seed);
  const startOf = (part: number): number => checkpointEvery + Math.floor(((events - checkpointEvery) * part) / kills);
  return Array.from({ length: kills }, (_, i) => ({
    position: startOf(i) + Math.floor(random() * (startOf(i + 1) - startOf(i))),
    aim: i % 2 === 0 ? "processing" : "upload",
    delayMs: Math.floor(random() * UPLOAD_DELAY_MS_MAX),
  }));
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
