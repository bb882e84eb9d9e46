/**
 * The states that the kit declares: every kind, under names that have broken others.
 *
 * The functions of reducing and aggregating state are user code: the model calls the same ones.
 */

/** Keyed kinds, then operator kinds. */
export type StateKind =
  | "value"
  | "list"
  | "map"
  | "reducing"
  | "aggregating"
  | "split-list"
  | "union-list"
  | "broadcast";

export interface StateSpec {
  readonly name: string;
  readonly kind: StateKind;
  readonly isNamespaced: boolean;
  /** Of value state: what an absent key reads as. */
  readonly default?: unknown;
}

export const CATALOG: readonly StateSpec[] = [
  { name: "__proto__", kind: "value", isNamespaced: false },
  { name: "constructor", kind: "value", isNamespaced: false, default: 0 },
  { name: "", kind: "list", isNamespaced: false },
  { name: "a/b", kind: "map", isNamespaced: false },
  { name: "*", kind: "reducing", isNamespaced: false },
  { name: "ÿ", kind: "aggregating", isNamespaced: false },
  { name: "states", kind: "value", isNamespaced: true },
  { name: "process", kind: "list", isNamespaced: true },
  { name: "\u0000", kind: "map", isNamespaced: true },
  { name: "😀", kind: "reducing", isNamespaced: true },
  { name: "n".repeat(300), kind: "aggregating", isNamespaced: true },
  { name: "7", kind: "split-list", isNamespaced: false },
  { name: "toString", kind: "union-list", isNamespaced: false },
  { name: "a%b_c'\"", kind: "broadcast", isNamespaced: false },
];

export function isOperatorKind(kind: StateKind): boolean {
  return kind === "split-list" || kind === "union-list" || kind === "broadcast";
}

/** Associative, and the order shows. By code points: half a pair of surrogates could not be stored. */
export function reduce(accumulated: string, added: string): string {
  return [...(accumulated + added)].slice(-64).join("");
}

/** An accumulator that holds a `Map`, which no freezing protects. */
export interface Accumulator {
  readonly count: number;
  readonly seen: ReadonlyMap<string, number>;
}

export const aggregate = {
  create: (): Accumulator => ({ count: 0, seen: new Map() }),
  add: (input: string, { count, seen }: Accumulator): Accumulator => ({
    count: count + 1,
    seen: new Map(seen).set(input, (seen.get(input) ?? 0) + 1),
  }),
  merge: (left: Accumulator, right: Accumulator): Accumulator => {
    const seen = new Map(left.seen);
    for (const [input, count] of right.seen) seen.set(input, (seen.get(input) ?? 0) + count);
    return { count: left.count + right.count, seen };
  },
  result: ({ count, seen }: Accumulator): string => `${count} ${JSON.stringify([...seen])}`,
};
