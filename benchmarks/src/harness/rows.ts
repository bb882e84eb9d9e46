/** What a suite reports. */

/** What is asked of a measurement, and of which number of it. */
export interface Rule {
  readonly of: "value" | "ratio";
  readonly is: "at least" | "at most";
  readonly bar: number;
}

export interface Row {
  readonly suite: string;
  readonly backend: string;
  readonly metric: string;
  /** The median of all runs; null if the suite failed. */
  readonly value: number | null;
  readonly unit: string;
  /** The same measured without Tidemark, or what it is measured against; a median too. */
  readonly floor: number | null;
  /** `value / floor` */
  readonly ratio: number | null;
  /** The number asked for; null where nothing is. */
  readonly bar: number | null;
  /** The bar in words. */
  readonly rule: string | null;
  readonly ok: boolean | null;
  readonly min: number | null;
  readonly median: number | null;
  readonly max: number | null;
  readonly runs: number;
  /** Whether sizes and runs were cut down: such a row proves nothing. */
  readonly quick: boolean;
  readonly error?: string;
}

/** A row before it is known where it belongs. */
export type Measured = Omit<Row, "suite" | "backend" | "quick">;

export interface Measurement {
  readonly metric: string;
  readonly unit: string;
  /** One number for each run. */
  readonly values: readonly number[];
  readonly floors?: readonly number[];
  readonly rule?: Rule;
}

export function measured({ metric, unit, values, floors, rule }: Measurement): Measured {
  const value = median(values);
  const floor = floors === undefined ? null : median(floors);
  const ratio = floor === null ? null : value / floor;
  return {
    metric,
    value,
    unit,
    floor,
    ratio,
    bar: rule?.bar ?? null,
    rule: rule === undefined ? null : inWords(rule, unit),
    ok: rule === undefined ? null : isMet(rule, rule.of === "value" ? value : (ratio ?? Number.NaN)),
    min: Math.min(...values),
    median: value,
    max: Math.max(...values),
    runs: values.length,
  };
}

/** What stands in place of the rows of a suite that did not come to its end. */
export function failed(error: string): Measured {
  const unknown = { value: null, floor: null, ratio: null, min: null, median: null, max: null };
  return { metric: "did not finish", unit: "", ...unknown, bar: null, rule: null, ok: false, runs: 0, error };
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = ascending.length >>> 1;
  const upper = ascending[middle] ?? Number.NaN;
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? Number.NaN) + upper) / 2;
}

function isMet({ is, bar }: Rule, actual: number): boolean {
  return is === "at least" ? actual >= bar : actual <= bar;
}

function inWords({ of, is, bar }: Rule, unit: string): string {
  const sign = is === "at least" ? ">=" : "<=";
  return of === "ratio" ? `ratio ${sign} ${bar}` : `${sign} ${bar} ${unit}`;
}
