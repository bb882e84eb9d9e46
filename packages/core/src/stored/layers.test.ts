/** Layers against a plain account of what was written, applied and read. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyIdentity } from "../contracts/codec.js";
import { Layers, type LayersOptions } from "./layers.js";
import { MemoryBudget } from "./memory-budget.js";

const ROW_BYTES = 10;
const KEYS = 12;

/** Contents are lists of numbers: as many values as numbers. */
type Content = readonly number[];

function layersWith(limitRows: number, options: Pick<LayersOptions<Content>, "join"> = {}) {
  const budget = new MemoryBudget({ cacheBytes: limitRows * ROW_BYTES, memtableBytes: 0 });
  const layers = new Layers<Content>({
    budget,
    valueBytes: () => ROW_BYTES,
    valuesOf: ({ length }) => length,
    ...options,
  });
  return { budget, layers };
}

function id(key: number): KeyIdentity {
  return `k${key}` as KeyIdentity;
}

type Step =
  | { readonly kind: "write"; readonly key: number; readonly content: Content }
  | { readonly kind: "keep" | "find"; readonly key: number }
  | { readonly kind: "freeze" | "applyOldest" };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      key: fc.nat(KEYS - 1),
      content: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constantFrom("keep" as const, "find" as const), key: fc.nat(KEYS - 1) }),
    fc.record({ kind: fc.constantFrom("freeze" as const, "applyOldest" as const) }),
  ),
  { maxLength: 80 },
) as fc.Arbitrary<Step[]>;

/** What everything under the state is, seen together: the store, and the changes above it, oldest first. */
class Account {
  readonly store = new Map<number, Content>();
  readonly unapplied = [new Map<number, Content>()];

  get(key: number): Content | undefined {
    return (
      [...this.unapplied]
        .reverse()
        .find((changes) => changes.has(key))
        ?.get(key) ?? this.store.get(key)
    );
  }

  get unappliedValues(): number {
    return this.unapplied.flatMap((changes) => [...changes.values()]).reduce((sum, { length }) => sum + length, 0);
  }
}

/** Runs the steps on both. `keep` happens only where memory has nothing, as tables do it. */
function run(layers: Layers<Content>, program: readonly Step[], check: (account: Account) => void): void {
  const account = new Account();
  let epoch = 0;
  let applied = 0;
  for (const step of program) {
    if (step.kind === "write") {
      if (layers.written(id(step.key)) === undefined) layers.write(id(step.key), step.content, 1);
      else layers.write(id(step.key), step.content, 0);
      const changes = account.unapplied.at(-1);
      const before = changes?.get(step.key);
      // Whoever replaces the content of a row that this epoch has written says how many values came or went.
      if (before !== undefined) layers.wrote(step.content.length - before.length);
      changes?.set(step.key, step.content);
    } else if (step.kind === "keep") {
      const stored = account.store.get(step.key);
      if (layers.find(id(step.key)) === undefined && stored !== undefined) layers.keep(id(step.key), stored);
    } else if (step.kind === "find") {
      const found = layers.find(id(step.key));
      if (found !== undefined || account.unapplied.some((changes) => changes.has(step.key))) {
        expect(found).toEqual(account.get(step.key));
      }
    } else if (step.kind === "freeze") {
      layers.freeze(++epoch);
      account.unapplied.push(new Map());
    } else if (applied < epoch) {
      for (const [key, content] of account.unapplied.shift() ?? []) account.store.set(key, content);
      layers.applied(++applied);
    }
    check(account);
  }
}

describe("layers", () => {
  test("T144 never give up what the store does not have, and always say the newest", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 8 }), (program, limitRows) => {
        const { layers, budget } = layersWith(limitRows);
        run(layers, program, (account) => {
          budget.settle();
          for (const changes of account.unapplied) {
            for (const key of changes.keys()) expect(layers.find(id(key))).toEqual(account.get(key));
          }
        });
      }),
    );
  });

  test("T144 take no more than they may, and know what they take", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 8 }), (program, limitRows) => {
        const { layers, budget } = layersWith(limitRows);
        run(layers, program, (account) => {
          budget.settle();
          expect(layers.unappliedBytes).toBe(account.unappliedValues * ROW_BYTES);
          expect(layers.cleanBytes).toBeGreaterThanOrEqual(0);
          // A row of several values goes as a whole.
          expect(layers.cleanBytes).toBeLessThanOrEqual(limitRows * ROW_BYTES);
        });
        layers.forget(Number.POSITIVE_INFINITY);
        expect(layers.cleanBytes).toBe(0);
      }),
    );
  });

  test("T144 rows above each other come to one when the store has them", () => {
    const join = (older: Content, newer: Content): Content => [...older, ...newer];
    const { layers } = layersWith(100, { join });
    layers.keep(id(0), [1]);
    layers.write(id(0), [2], 1);
    const frozen = layers.freeze(1);
    layers.write(id(0), [3, 3], 1);
    expect(frozen.rows.map(({ content }) => content)).toEqual([[2]]);
    const chain: Content[] = [];
    for (let row = layers.rowOf(id(0)); row !== undefined; row = row.older) chain.push(row.content);
    expect(chain).toEqual([[3, 3], [2], [1]]);
    layers.applied(1);
    expect(layers.rowOf(id(0))?.older?.content).toEqual([1, 2]);
    expect(layers.cleanBytes).toBe(2 * ROW_BYTES);
    layers.freeze(2);
    layers.applied(2);
    expect(layers.rowOf(id(0))?.content).toEqual([1, 2, 3, 3]);
    expect(layers.cleanBytes).toBe(4 * ROW_BYTES);
    layers.forget(Number.POSITIVE_INFINITY);
    expect(layers.find(id(0))).toBeUndefined();
    expect(layers.cleanBytes).toBe(0);
  });

  test("T144 what is used again and again stays", () => {
    const { layers, budget } = layersWith(64);
    for (let round = 0; round < 200; round++) {
      for (let key = 0; key < 4; key++) if (layers.find(id(key)) === undefined) layers.keep(id(key), [key]);
      for (let other = 0; other < 10; other++) layers.keep(id(100 + round * 10 + other), [0]);
      budget.settle();
      if (round > 10) expect([0, 1, 2, 3].map((key) => layers.find(id(key)))).toEqual([[0], [1], [2], [3]]);
    }
  });

  test("T144 room for little is not looked for among all that cannot go", () => {
    const { layers } = layersWith(0);
    for (let key = 0; key < 60_000; key++) layers.write(id(key), [key], 1);
    // Past all rows for each 64 of them it would take minutes.
    for (let key = 0; key < 60_000; key++) layers.keep(id(60_000 + key), [key]);
    expect(layers.cleanBytes).toBeLessThanOrEqual((70_000 / 8) * ROW_BYTES);
    layers.freeze(1);
    layers.applied(1);
    expect(layers.cleanBytes).toBe(0);
  });
});
