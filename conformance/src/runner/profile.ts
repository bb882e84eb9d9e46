/** How long a run takes. */

/** `quick` for every commit, `full` for every release, `soak` for a night. */
export const PROFILES = ["quick", "full", "soak"] as const;

/** One of `PROFILES`. */
export type Profile = (typeof PROFILES)[number];

interface Extent {
  /** How many times the cases of `quick`. */
  readonly factor: number;
  /** After so long a law begins no more cases, milliseconds: slow adapters are tested less, and the report says how much. */
  readonly lawMs: number;
  /** So much longer may its last case take before the law counts as hanging, milliseconds. */
  readonly overtimeMs: number;
}

export const EXTENTS: Readonly<Record<Profile, Extent>> = {
  quick: { factor: 1, lawMs: 3_000, overtimeMs: 30_000 },
  full: { factor: 10, lawMs: 60_000, overtimeMs: 120_000 },
  soak: { factor: 200, lawMs: 1_800_000, overtimeMs: 120_000 },
};
