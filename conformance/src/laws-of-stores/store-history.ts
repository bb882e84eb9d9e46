/** Any history of calls, interruptions and deaths: the store answers as the model says. */

import assert from "node:assert/strict";
import { type BinaryKey, type Change, KeyGroups, type Store, type StoreMark } from "@tidemark/core";
import fc from "fast-check";
import { newFence, type OpenStoreHarness, type StoreHarness } from "./store-harness.js";
import { StoreModel } from "./store-model.js";
import {
  assertRefused,
  deltaOf,
  GROUPS,
  interruptedAfter,
  Interruption,
  keyOf,
  opened,
  read,
  rowsOf,
  scanned,
  SCOPE,
} from "./store-script.js";

const RESTS = ["", "\0", "a", "a\0", "a\xff", "b", "\xff", "\xff\xff"] as const;
const KEYS = [...GROUPS].flatMap((group) => RESTS.map((rest) => keyOf(group, rest))).sort();

type Step =
  | {
      readonly kind: "apply";
      readonly changes: readonly Change[];
      readonly cut: number | undefined;
      readonly tag: string;
    }
  | {
      readonly kind: "load";
      readonly groups: KeyGroups;
      readonly rows: ReadonlyMap<BinaryKey, string>;
      readonly isCut: boolean;
    }
  | { readonly kind: "drop"; readonly groups: KeyGroups }
  | { readonly kind: "reopen" | "crash" | "take over" };

/** Holds a new place of `open` to the model, through up to `stepsMax` steps. */
export function anyStoreHistory(open: OpenStoreHarness, stepsMax = 20): fc.IAsyncProperty<[readonly Step[]]> {
  return fc.asyncProperty(fc.array(anyStep(), { maxLength: stepsMax, size: "max" }), async (steps) => {
    const harness = await open();
    try {
      const history = await History.start(harness);
      for (const step of steps) await history.take(step);
      await history.take({ kind: "crash" });
    } finally {
      await harness.dispose();
    }
  });
}

class History {
  readonly #harness: StoreHarness;
  readonly #model = new StoreModel();
  #store: Store;
  #marks = 1;

  private constructor(harness: StoreHarness, store: Store) {
    this.#harness = harness;
    this.#store = store;
  }

  static async start(harness: StoreHarness): Promise<History> {
    const { store } = await opened(harness);
    return new History(harness, store);
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "apply") await this.#apply(step);
    else if (step.kind === "load") await this.#load(step);
    else if (step.kind === "drop") await this.#drop(step.groups);
    else if (step.kind === "take over") await this.#takeOver();
    else await this.#open(step.kind);
    await this.#check();
  }

  /** After a failure, the same changes again, whatever the step says. */
  async #apply(step: Extract<Step, { kind: "apply" }>): Promise<void> {
    const { mark, changes } = this.#model.pending ?? { mark: this.#nextMark(step.tag), changes: step.changes };
    if (step.cut === undefined) {
      await this.#store.apply(mark, deltaOf(changes.slice(0, 3), changes.slice(3)));
      this.#model.applied(mark, changes);
      if (changes.length % 2 === 0) await this.#store.apply(mark, deltaOf(changes));
    } else {
      const some = interruptedAfter(...changes.slice(0, step.cut).map((change) => [change]));
      await assert.rejects(this.#store.apply(mark, some), Interruption);
      this.#model.interruptedApply(mark, changes);
    }
  }

  async #load({ groups: some, rows, isCut }: Extract<Step, { kind: "load" }>): Promise<void> {
    const groups = this.#model.pending === undefined ? some : GROUPS;
    const mark = this.#nextMark("load");
    const loaded = new Map([...rows].filter(([key]) => groups.has(key.charCodeAt(1))));
    if (isCut) {
      const entries = [...loaded].map(([key, value]) => ({ key, value: Buffer.from(value) }));
      await assert.rejects(this.#store.load(groups, interruptedAfter(entries), mark), Interruption);
      this.#model.dropped(new Set(groups));
    } else {
      await this.#store.load(groups, rowsOf(...loaded), mark);
      this.#model.loaded(new Set(groups), loaded, mark);
    }
  }

  async #drop(some: KeyGroups): Promise<void> {
    const groups = this.#model.pending === undefined ? some : GROUPS;
    await this.#store.drop(groups);
    this.#model.dropped(new Set(groups));
  }

  async #open(how: "reopen" | "crash"): Promise<void> {
    if (how === "crash") await this.#harness.crash(this.#store);
    else await this.#store.close();
    const { store, applied } = await opened(this.#harness);
    this.#store = store;
    this.#model.checkApplied(applied);
  }

  async #takeOver(): Promise<void> {
    const next = this.#harness.create();
    if (this.#harness.takeover === "refused") {
      await assertRefused(next.open(SCOPE, newFence()), "UNAVAILABLE");
      await next.close();
      return;
    }
    this.#model.checkApplied(await next.open(SCOPE, newFence()));
    await assertRefused(this.#store.getMany(KEYS), "FENCED");
    await this.#store.close();
    this.#store = next;
  }

  /** Both ways to read agree with the model, and with each other. */
  async #check(): Promise<void> {
    const values = await read(this.#store, ...KEYS);
    for (const [index, key] of KEYS.entries()) this.#model.checkRead(key, values[index]);
    const present = KEYS.flatMap((key, index) => (values[index] === undefined ? [] : [[key, values[index]]]));
    assert.deepEqual(await scanned(this.#store), present);
    const half = { start: KEYS[5] as BinaryKey, end: KEYS[20] as BinaryKey };
    const inside = present.filter(([key]) => half.start <= (key as BinaryKey) && (key as BinaryKey) < half.end);
    assert.deepEqual(await scanned(this.#store, half), inside);
  }

  /** No mark comes twice, but ids do: they come again in another lineage. */
  #nextMark(tag: string): StoreMark {
    this.#marks += 1;
    return { checkpoint: this.#marks >> 1, tag: `${tag}${this.#marks & 1}` };
  }
}

function anyStep(): fc.Arbitrary<Step> {
  const apply = fc.record({
    kind: fc.constant("apply" as const),
    changes: anyChanges(),
    cut: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 3 }),
    tag: fc.constantFrom("a", "b"),
  });
  const load = fc.record({
    kind: fc.constant("load" as const),
    groups: anyGroups(),
    rows: anyRows(),
    isCut: fc.boolean(),
  });
  const drop = fc.record({ kind: fc.constant("drop" as const), groups: anyGroups() });
  const others = fc.constantFrom("reopen" as const, "crash" as const, "take over" as const).map((kind) => ({ kind }));
  return fc.oneof(
    { weight: 6, arbitrary: apply },
    { weight: 2, arbitrary: load },
    { weight: 1, arbitrary: drop },
    { weight: 4, arbitrary: others },
  );
}

function anyGroups(): fc.Arbitrary<KeyGroups> {
  const group = fc.constantFrom(...GROUPS).map((first) => ({ first, last: first }));
  return fc.uniqueArray(group, { selector: ({ first }) => first, minLength: 1 }).map((ranges) => KeyGroups.of(ranges));
}

function anyValue(): fc.Arbitrary<string> {
  return fc.string({ maxLength: 3, unit: fc.constantFrom("\0", "x", "\xff") });
}

function anyRows(): fc.Arbitrary<ReadonlyMap<BinaryKey, string>> {
  const row = fc.tuple(fc.constantFrom(...KEYS), anyValue());
  return fc
    .uniqueArray(row, { selector: ([key]) => key })
    .map((rows) => new Map(rows.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Changes in the order of a delta: by key, a clear before the puts that it does not remove. */
function anyChanges(): fc.Arbitrary<readonly Change[]> {
  const put = fc.record({
    kind: fc.constant("put" as const),
    key: fc.constantFrom(...KEYS),
    value: anyValue().map(bytesOf),
  });
  const remove = fc.record({ kind: fc.constant("delete" as const), key: fc.constantFrom(...KEYS) });
  const clear = fc.record({ kind: fc.constant("clear" as const), prefix: fc.constantFrom(...KEYS) });
  const change = fc.oneof({ weight: 4, arbitrary: put }, remove, clear);
  return fc.uniqueArray(change, { selector: placeOf, maxLength: 12 }).map((changes) => changes.sort(byPlace));
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function placeOf(change: Change): string {
  return change.kind === "clear" ? `${change.prefix}:clear` : change.key;
}

function byPlace(a: Change, b: Change): number {
  const [keyA, keyB] = [a, b].map((change) => (change.kind === "clear" ? change.prefix : change.key));
  if (keyA !== keyB) return (keyA as string) < (keyB as string) ? -1 : 1;
  return Number(b.kind === "clear") - Number(a.kind === "clear");
}
