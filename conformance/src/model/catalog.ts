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

/** How long values live, as it is declared. */
export interface TtlSpec {
  readonly ms: number;
  /** @defaultValue "processing" */
  readonly time?: "processing" | "event";
  /** @defaultValue "on-create-and-write" */
  readonly update?: "on-create-and-write" | "on-read-and-write";
  /** @defaultValue "never-return-expired" */
  readonly visibility?: "never-return-expired" | "return-expired-if-not-cleaned-up";
}

export interface StateSpec {
  readonly name: string;
  readonly kind: StateKind;
  readonly isNamespaced: boolean;
  /** Of value state: what an absent key reads as. */
  readonly default?: unknown;
  readonly ttl?: TtlSpec;
}

/** What timers write to, if it is declared. */
export const TIMER_LOG = "";
/** As `TIMER_LOG`, and expires. */
export const EXPIRING_TIMER_LOG = "in";

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
  { name: "valueOf", kind: "value", isNamespaced: false, ttl: { ms: 20 } },
  { name: "%00", kind: "list", isNamespaced: false, ttl: { ms: 20 } },
  { name: "\ufeff", kind: "map", isNamespaced: false, ttl: { ms: 10 } },
  { name: "-0", kind: "reducing", isNamespaced: false, ttl: { ms: 20, time: "event" } },
  { name: "null", kind: "aggregating", isNamespaced: false, ttl: { ms: 20, update: "on-read-and-write" } },
  { name: "in", kind: "list", isNamespaced: true, ttl: { ms: 10, time: "event" } },
  { name: "timers", kind: "reducing", isNamespaced: true, ttl: { ms: 20 } },
  { name: "watermark", kind: "map", isNamespaced: true, ttl: { ms: 20, time: "event", update: "on-read-and-write" } },
  { name: "prototype", kind: "value", isNamespaced: true, ttl: { ms: 10, time: "event", update: "on-read-and-write" } },
  { name: "then", kind: "value", isNamespaced: false, default: 0, ttl: { ms: 20, ...lenient() } },
  { name: "NaN", kind: "list", isNamespaced: false, ttl: { ms: 20, time: "event", ...lenient() } },
  {
    name: "hasOwnProperty",
    kind: "map",
    isNamespaced: false,
    ttl: { ms: 20, update: "on-read-and-write", ...lenient() },
  },
];

function lenient(): Pick<TtlSpec, "visibility"> {
  return { visibility: "return-expired-if-not-cleaned-up" };
}

/** Whether the first read of what has expired may still give it. */
export function isLenient({ ttl }: StateSpec): boolean {
  return ttl?.visibility === "return-expired-if-not-cleaned-up";
}

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
