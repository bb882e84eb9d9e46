/** Seeds that once found something. Every property runs its own first. */

export interface Regression {
  /** Name of the property. */
  readonly property: string;
  readonly seed: number;
  /** The path that fast-check printed. */
  readonly path: string;
  /** What it found. */
  readonly found: string;
}

export const REGRESSIONS: readonly Regression[] = [];
