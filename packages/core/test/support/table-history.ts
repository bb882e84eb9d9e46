/**
 * Drives a table through epochs as a task does, beside a plain model of it.
 *
 * Invariants:
 * - Every barrier is encoded at once, and again each time something has changed: both must be the same.
 * - What all barriers wrote, merged and loaded into a new table, must be the content at the last barrier.
 */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { ByteReader } from "../../src/bytes/byte-reader.js";
import type { BinaryKey } from "../../src/key/binary-key.js";
import { EMPTY_KEY } from "../../src/key/binary-key.js";
import { KeyGroups, number, string, structured } from "../../src/index.js";
import type { EntryBlock } from "../../src/segment/entry-block.js";
import { mergeRuns } from "../../src/segment/merge.js";
import { Slicer } from "../../src/segment/slicer.js";
import { Address } from "../../src/table/address.js";
import { Epoch } from "../../src/table/epoch.js";
import { FrozenTable } from "../../src/table/frozen-table.js";
import type { StateTable } from "../../src/table/state-table.js";
import type { TableOptions } from "../../src/table/table-options.js";
import { blocksOf, entriesOf, entryAt, type PlainEntry } from "./entries.js";
import { ManualClock } from "./manual-clock.js";
import type { KeyCodec, KeyIdentity } from "../../src/contracts/codec.js";

export const HISTORY_KEYS = ["", "a", "\uffff", "😀"] as const;

/** Where a cell is: a key, and a namespace if the state has them. */
export interface Place {
  readonly key: string;
  readonly namespace: BinaryKey;
}

/** One kind of table: how to make one, what to do to it, and a plain model of that. */
export interface TableKind<Table extends StateTable, Change> {
  readonly make: (options: TableOptions) => Table;
  readonly changes: fc.Arbitrary<Change>;
  readonly apply: (table: Table, place: Place, change: Change) => void;
  /** The content of a cell after `change`; `undefined` for none. */
  readonly model: (content: unknown, change: Change) => unknown;
  /** The content of a cell in the form of the model. */
  readonly read: (table: Table, place: Place) => unknown;
  readonly identities: (table: Table) => Iterable<readonly KeyIdentity[]>;
}

type Step<Change> =
  | { readonly kind: "change"; readonly key: string; readonly namespace: number; readonly change: Change }
  | { readonly kind: "barrier" }
  | { readonly kind: "complete"; readonly count: number };

export interface StepOptions {
  readonly keys?: readonly string[];
  readonly lengthMax?: number;
  readonly size?: fc.Size;
}

export function stepsOf<Change>(
  changes: fc.Arbitrary<Change>,
  { keys = HISTORY_KEYS, lengthMax = 60, size = "small" }: StepOptions = {},
): fc.Arbitrary<readonly Step<Change>[]> {
  const change = fc.record({
    kind: fc.constant("change" as const),
    key: fc.constantFrom(...keys),
    namespace: fc.nat(1),
    change: changes,
  });
  const barrier = fc.record({ kind: fc.constant("barrier" as const) });
  const complete = fc.record({ kind: fc.constant("complete" as const), count: fc.nat(3) });
  const step = fc.oneof(
    { weight: 6, arbitrary: change },
    { weight: 2, arbitrary: barrier },
    { weight: 1, arbitrary: complete },
  );
  return fc.array(step, { maxLength: lengthMax, size });
}

export function tableOptions(isNamespaced: boolean, epoch = new Epoch(1)): TableOptions {
  const namespace = isNamespaced ? (number() as KeyCodec<unknown>) : undefined;
  const address = new Address(string(), namespace);
  const groups = KeyGroups.all(4);
  return { stateId: 3, address, codec: structured(), groups, maxParallelism: 4, epoch };
}

interface Pending {
  readonly frozen: FrozenTable;
  readonly encoded: readonly PlainEntry[];
}

export class TableHistory<Table extends StateTable, Change> {
  readonly #kind: TableKind<Table, Change>;
  readonly #isNamespaced: boolean;
  readonly #options: TableOptions;
  readonly #table: Table;
  readonly #model = new Map<string, { readonly place: Place; readonly content: unknown }>();
  readonly #written: (readonly PlainEntry[])[] = [];
  #pending: readonly Pending[] = [];
  readonly #slicer = new Slicer(new ManualClock());

  constructor(kind: TableKind<Table, Change>, isNamespaced: boolean) {
    this.#kind = kind;
    this.#isNamespaced = isNamespaced;
    this.#options = tableOptions(isNamespaced);
    this.#table = kind.make(this.#options);
  }

  async run(steps: readonly Step<Change>[]): Promise<void> {
    for (const step of steps) {
      if (step.kind === "change") this.#change(step);
      if (step.kind === "barrier") await this.#barrier();
      if (step.kind === "complete") await this.#complete(step.count);
      this.#check(this.#table);
    }
    await this.#barrier();
    await this.#complete(this.#pending.length);
    this.#check(this.#table);
    await this.#checkRestored();
  }

  #change({ key, namespace, change }: Step<Change> & { readonly kind: "change" }): void {
    const place = { key, namespace: this.#isNamespaced ? number().encode(namespace) : EMPTY_KEY };
    this.#kind.apply(this.#table, place, change);
    const name = key + place.namespace;
    const content = this.#kind.model(this.#model.get(name)?.content, change);
    this.#model.set(name, { place, content });
  }

  async #barrier(): Promise<void> {
    const { epoch } = this.#options;
    const bytes = this.#table.writtenBytes;
    const frozen = new FrozenTable([this.#table.freeze()], { epoch: epoch.number, bytes });
    epoch.number++;
    const encoded = await entriesOf(frozen.entries(this.#slicer));
    this.#written.push(encoded);
    if (frozen.rowCount > 0) this.#pending = [...this.#pending, { frozen, encoded }];
    if (this.#table.writtenBytes !== 0) throw new Error("a new epoch has written nothing");
  }

  /** As many of the oldest barriers are in a checkpoint that has completed. */
  async #complete(count: number): Promise<void> {
    await this.#checkPending();
    const { epoch } = this.#options;
    const completed = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    for (const { frozen } of completed) await frozen.completed(this.#slicer);
    epoch.settled = (this.#pending[0]?.frozen.epoch ?? epoch.number) - 1;
  }

  async #checkPending(): Promise<void> {
    for (const { frozen, encoded } of this.#pending) {
      expectSame("frozen table", await entriesOf(frozen.entries(this.#slicer)), encoded);
    }
  }

  async #checkRestored(): Promise<void> {
    const base = await merged(this.#written, true);
    const half = this.#written.length >> 1;
    const parts = [await merged(this.#written.slice(0, half), true), await merged(this.#written.slice(half), false)];
    for (const entries of [base, parts.flat(), await merged(parts, true), this.#written.flat()]) {
      const restored = this.#kind.make(tableOptions(this.#isNamespaced));
      for (const { key, flags, value } of entries) {
        const reader = new ByteReader(Buffer.from(value, "latin1"));
        restored.load(key, flags, reader);
        expectSame("bytes behind a value", reader.remaining, 0);
      }
      this.#check(restored);
      expectSame("live rows", restored.liveRows, this.#table.liveRows);
    }
    // So every row that is counted as present is an entry, and every entry of a base is one.
    expectSame("entries of a base", base.length, this.#table.liveRows);
  }

  #check(table: Table): void {
    const { address } = this.#options;
    const present: BinaryKey[] = [];
    for (const { place, content } of this.#model.values()) {
      expectSame("content", this.#kind.read(table, place), content);
      if (content !== undefined) present.push(address.encode(address.identity(place.key, place.namespace)));
    }
    const groups = [...this.#kind.identities(table)].map((group) => group.map((identity) => address.encode(identity)));
    for (const group of groups) expectSame("order", group, [...group].sort());
    expectSame("keys", groups.flat().sort(), present.sort());
    if (present.length === 0) expectSame("live rows", table.liveRows, 0);
  }
}

/** Runs merged into one, oldest first. */
async function merged(runs: readonly (readonly PlainEntry[])[], dropTombstones: boolean): Promise<PlainEntry[]> {
  const entries: PlainEntry[] = [];
  const sink = (block: EntryBlock, at: number): void => void entries.push(entryAt(block, at));
  const sources = runs.map((run) => blocksOf(run, 3));
  for await (const _ of mergeRuns(sources, sink, { dropTombstones })) void _;
  return entries;
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`Other ${what} than expected. found=${JSON.stringify(found)} expected=${JSON.stringify(expected)}.`);
}
