/** Encoded rows against a plain account of what was written, applied and read. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../bytes/byte-writer.js";
import { EMPTY_KEY } from "../key/binary-key.js";
import { string } from "../key/string-key.js";
import { Address } from "../table/address.js";
import { FrozenTable } from "../table/frozen-table.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import { Slicer } from "../segment/slicer.js";
import { systemClock } from "../clock.js";
import { EncodedRows } from "./encoded-rows.js";
import { MemoryBudget } from "./memory-budget.js";
import { ChunkPool } from "./row-chunk.js";
import { RowKey } from "./row-key.js";

const STATE = 7;
const KEYS = 12;
const MAX_PARALLELISM = 8;

/** A text, or nothing where the key is deleted. */
type Content = string | undefined;

/** Under names of which some share their first slot. */
function nameOf(key: number): string {
  return `${"k".repeat(key % 5)}${key}`;
}

class Rows {
  readonly budget: MemoryBudget;
  readonly rows: EncodedRows;
  readonly #key = new RowKey(STATE, new Address(string(), undefined), MAX_PARALLELISM);

  constructor(limitBytes: number) {
    this.budget = new MemoryBudget({ cacheBytes: limitBytes, memtableBytes: 0 });
    this.rows = new EncodedRows(this.budget, new ChunkPool(limitBytes));
  }

  write(key: number, content: Content): void {
    this.rows.write(this.#keyOf(key), content === undefined ? undefined : encoded(content));
  }

  keep(key: number, content: Content): void {
    this.rows.keep(this.#keyOf(key), content === undefined ? undefined : Buffer.from(`?${content}`), 1);
  }

  /** What memory knows: nothing, or a content. */
  find(key: number): { readonly content: Content } | undefined {
    const address = this.rows.find(this.#keyOf(key));
    if (address === 0) return undefined;
    if (this.rows.isDeleted(address)) return { content: undefined };
    const reader = this.rows.valueOf(address);
    return { content: reader.latin1(reader.remaining) };
  }

  freeze(epoch: number): FrozenTable {
    return new FrozenTable([this.rows.freeze(epoch, STATE, 0)], { epoch, bytes: 0 });
  }

  #keyOf(key: number): RowKey {
    this.#key.set(nameOf(key), EMPTY_KEY);
    return this.#key;
  }
}

function encoded(content: string): ByteWriter {
  const out = new ByteWriter();
  out.latin1(content);
  return out;
}

type Step =
  | { readonly kind: "write" | "keepOrFind"; readonly key: number; readonly content: Content }
  | { readonly kind: "freeze" | "applyOldest" | "beginToRead" | "endReading" };

const contents = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 3 }),
  fc.integer({ min: 0, max: 9000 }).map((length) => "x".repeat(length)),
  fc.constant("y".repeat(70_000)),
);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("write" as const, "keepOrFind" as const),
        key: fc.nat(KEYS - 1),
        content: contents,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom("freeze", "applyOldest", "beginToRead", "endReading") }),
    },
  ),
  { maxLength: 150 },
);

type Changes = Map<number, Content>;

/** Reads that have begun, with what they are to find. */
interface Reading {
  readonly source: ReturnType<FrozenTable["entries"]>;
  readonly expected: Changes;
}

class Account {
  readonly store: Changes = new Map();
  readonly unapplied: Changes[] = [new Map<number, Content>()];

  get(key: number): Content {
    for (const changes of this.unapplied.toReversed()) if (changes.has(key)) return changes.get(key);
    return this.store.get(key);
  }
}

async function run(rows: Rows, program: readonly Step[], check: (account: Account) => void): Promise<void> {
  const account = new Account();
  const frozen: { readonly table: FrozenTable; readonly changes: Changes; readonly epoch: number }[] = [];
  const readings: Reading[] = [];
  let epoch = 0;
  for (const step of program) {
    if (step.kind === "write") {
      rows.write(step.key, step.content);
      account.unapplied.at(-1)?.set(step.key, step.content);
    } else if (step.kind === "keepOrFind") {
      const found = rows.find(step.key);
      if (found === undefined) rows.keep(step.key, account.store.get(step.key));
      else expect(found.content).toBe(account.get(step.key));
    } else if (step.kind === "freeze") {
      const table = rows.freeze(++epoch);
      frozen.push({ table, changes: new Map(account.unapplied.at(-1)), epoch });
      account.unapplied.push(new Map());
    } else if (step.kind === "applyOldest") {
      const oldest = frozen.shift();
      if (oldest === undefined) continue;
      for (const [key, content] of account.unapplied.shift() ?? []) account.store.set(key, content);
      rows.rows.applied(oldest.epoch);
    } else if (step.kind === "beginToRead") {
      const newest = frozen.at(-1);
      if (newest !== undefined) {
        readings.push({ source: readingOf(newest.table), expected: newest.changes });
      }
    } else {
      await expectRead(readings.shift());
    }
    check(account);
  }
  for (const { table, changes } of frozen) readings.push({ source: readingOf(table), expected: changes });
  for (const reading of readings) await expectRead(reading);
}

function readingOf(table: FrozenTable): Reading["source"] {
  return table.entries(new Slicer(systemClock));
}

async function expectRead(reading: Reading | undefined): Promise<void> {
  if (reading === undefined) return;
  const found = new Map<string, Content>();
  for await (const block of reading.source) {
    for (let at = 0; at < block.count; at++) {
      const name = block.keys[at]?.slice(4, -2) ?? "";
      expect(found.has(name)).toBe(false);
      const isDeleted = block.flags[at] === FLAG_DELETE;
      found.set(name, isDeleted ? undefined : block.bytes.toString("latin1", block.starts[at], block.ends[at]));
    }
  }
  expect(found).toEqual(new Map([...reading.expected].map(([key, content]) => [nameOf(key), content])));
}

describe("encoded rows", () => {
  test("T144 never give up what the store does not have, and always say the newest", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(0, 100, 5_000, 200_000), async (program, limitBytes) => {
        const rows = new Rows(limitBytes);
        await run(rows, program, (account) => {
          for (const changes of account.unapplied) {
            for (const key of changes.keys()) expect(rows.find(key)).toStrictEqual({ content: account.get(key) });
          }
        });
      }),
    );
  });

  test("T144 take no more than they may, and know what they take", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(0, 5_000, 200_000), async (program, limitBytes) => {
        const rows = new Rows(limitBytes);
        let unapplied = 0;
        await run(rows, program, (account) => {
          rows.budget.settle();
          expect(rows.rows.cleanBytes).toBeGreaterThanOrEqual(0);
          expect(rows.rows.cleanBytes).toBeLessThanOrEqual(limitBytes);
          unapplied = account.unapplied.reduce((sum, changes) => sum + bytesOf(changes), 0);
          expect(rows.rows.unappliedBytes).toBeGreaterThanOrEqual(unapplied);
        });
        rows.rows.forget(Number.POSITIVE_INFINITY);
        expect(rows.rows.cleanBytes).toBe(0);
        rows.rows.freeze(1000, STATE, 0);
        rows.rows.applied(1000);
        rows.rows.forget(Number.POSITIVE_INFINITY);
        expect([rows.rows.unappliedBytes, rows.rows.cleanBytes]).toEqual([0, 0]);
      }),
    );
  });

  test("T144 what is used again and again stays", () => {
    const rows = new Rows(600_000);
    const wide = (key: number) => `${key}`.padEnd(1000, ".");
    for (let round = 0; round < 400; round++) {
      for (let key = 0; key < 4; key++) if (rows.find(key) === undefined) rows.keep(key, wide(key));
      for (let other = 0; other < 10; other++) rows.keep(100 + round * 10 + other, wide(other));
      if (round > 10) for (let key = 0; key < 4; key++) expect(rows.find(key)).toEqual({ content: wide(key) });
    }
    expect(rows.find(100)).toBeUndefined();
  });

  test("T144 what is read and then written takes no place twice", () => {
    const rows = new Rows(100_000);
    for (let key = 0; key < 1000; key++) {
      rows.keep(key, "old");
      rows.write(key, "new");
    }
    expect(rows.rows.cleanBytes).toBe(0);
  });

  test("T144 who reads what was frozen reads that, whatever becomes of its memory", async () => {
    const rows = new Rows(1_000_000);
    const written = new Map(Array.from({ length: 2_000 }, (_, key) => [key, `${key}`.padEnd(200, "-")]));
    for (const [key, content] of written) rows.write(key, content);
    const source = readingOf(rows.freeze(1));
    rows.rows.applied(1);
    rows.rows.forget(Number.POSITIVE_INFINITY);
    for (const key of written.keys()) rows.write(key, "+".repeat(200));
    await expectRead({ source, expected: written });
  });

  test("T144 what was frozen is not read any more when its memory may be another's", () => {
    const rows = new Rows(1_000_000);
    rows.write(1, "a");
    const table = rows.freeze(1);
    rows.rows.applied(1);
    expect(() => readingOf(table)).toThrow(/frozen rows are read while they are there/);
  });

  test("T144 a key that was deleted and is written again, and the other way round", () => {
    const rows = new Rows(0);
    for (const content of [undefined, "", "a", undefined, "bb", undefined]) {
      rows.write(1, content);
      expect(rows.find(1)).toStrictEqual({ content });
    }
  });

  test("T144 a value that grows all the time moves seldom", () => {
    const rows = new Rows(0);
    for (let length = 0; length < 5000; length++) rows.write(1, "z".repeat(length));
    expect(rows.find(1)).toEqual({ content: "z".repeat(4999) });
    expect(rows.rows.writtenBytes).toBeLessThan(5 * 5000);
  });

  test("T144 many rows are found, and go, and are found again", () => {
    const rows = new Rows(1_000_000);
    for (let key = 0; key < 20_000; key++) rows.write(key, `${key}`);
    for (let key = 0; key < 20_000; key += 7) expect(rows.find(key)).toEqual({ content: `${key}` });
    rows.rows.freeze(1, STATE, 0);
    rows.rows.applied(1);
    expect(rows.rows.cleanBytes).toBeLessThanOrEqual(1_000_000);
    rows.rows.forget(Number.POSITIVE_INFINITY);
    for (let key = 0; key < 20_000; key += 7) expect(rows.find(key)).toBeUndefined();
    for (let key = 0; key < 20_000; key += 7) rows.keep(key, "again");
    for (let key = 0; key < 20_000; key++) {
      expect(rows.find(key)).toEqual(key % 7 === 0 ? { content: "again" } : undefined);
    }
  });
});

/** At least what the values take. */
function bytesOf(changes: Changes): number {
  return [...changes.values()].reduce((sum, content) => sum + (content?.length ?? 0), 0);
}
