import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entriesOf } from "../../test/support/entries.js";
import { ManualClock } from "../../test/support/manual-clock.js";
import {
  type StepOptions,
  stepsOf,
  TableHistory,
  type TableKind,
  tableOptions,
} from "../../test/support/table-history.js";
import { type BinaryKey, EMPTY_KEY } from "../key/binary-key.js";
import { KeyGroups } from "../key/key-groups.js";
import { number, string } from "../key/key-codecs.js";
import { isWellFormed } from "../bytes/well-formed.js";
import type { KeyCodec } from "../contracts/codec.js";
import { Slicer } from "../segment/slicer.js";
import { Address } from "./address.js";
import { Epoch } from "./epoch.js";
import { Expiries } from "./expiries.js";
import { FrozenTable } from "./frozen-table.js";
import { ListTable } from "./list-table.js";
import { MapTable } from "./map-table.js";
import type { StateTable } from "./state-table.js";
import { ValueTable } from "./value-table.js";

const NUM_RUNS = 300;
const values = fc.constantFrom<unknown>(0, 1, null, "text");

type ValueChange = { readonly put: unknown } | "remove";
const VALUES: TableKind<ValueTable, ValueChange> = {
  make: (options) => new ValueTable(options),
  changes: fc.oneof(fc.record({ put: values }), fc.constant("remove" as const)),
  apply: (table, { key, namespace }, change) =>
    change === "remove" ? table.remove(key, namespace) : table.put(key, namespace, change.put),
  model: (_content, change) => (change === "remove" ? undefined : change.put),
  read: (table, { key, namespace }) => table.get(key, namespace),
  identities: (table) => table.identities(),
};

type ExpiringChange = { readonly put: unknown; readonly expiry: number } | "remove";
const expiriesOf = new WeakMap<ValueTable, Expiries>();
const EXPIRING: TableKind<ValueTable, ExpiringChange> = {
  make: (options) => {
    const expiries = new Expiries();
    const table = new ValueTable(options, expiries);
    expiriesOf.set(table, expiries);
    return table;
  },
  changes: fc.oneof(
    fc.record({ put: values, expiry: fc.constantFrom(5, Number.MAX_SAFE_INTEGER) }),
    fc.constant("remove" as const),
  ),
  apply: (table, { key, namespace }, change) =>
    change === "remove" ? table.remove(key, namespace) : table.stamp(key, namespace, change.put, change.expiry),
  model: (_content, change) => (change === "remove" ? undefined : [change.put, change.expiry]),
  read: (table, { key, namespace }) => {
    const value = table.get(key, namespace);
    const { address } = tableOptions(namespace !== EMPTY_KEY);
    const expiry = expiriesOf.get(table)?.of(address.identity(key, namespace));
    if (value !== undefined) return [value, expiry];
    expect(expiry).toBe(Number.MAX_SAFE_INTEGER);
    return undefined;
  },
  identities: (table) => table.identities(),
};

type MapChange =
  | { readonly put: string; readonly value: unknown }
  | { readonly remove: string }
  | { readonly clear: true };
/** Values of which one, or a few, or all fill what is packed. */
const sizes = fc.constantFrom(0, 0, 0, 0, 15, 28, 30, 60, 250, 300).map((size) => "v".repeat(size));
const fields = fc.constantFrom("", "f", "😀");
/** More than are packed. */
const manyFields = fc.constantFrom(..."abcdefghijk");
const MAPS: TableKind<MapTable, MapChange> = {
  make: (options) => new MapTable({ ...options, field: string() }),
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.record({ put: fields, value: values }) },
    { weight: 2, arbitrary: fc.record({ remove: fields }) },
    { weight: 1, arbitrary: fc.constant({ clear: true as const }) },
  ),
  apply: (table, { key, namespace }, change) => {
    if ("put" in change) table.put(key, namespace, change.put, change.value);
    else if ("remove" in change) table.remove(key, namespace, change.remove);
    else table.clear(key, namespace);
  },
  model: (content, change) => {
    const entries = new Map((content ?? []) as [string, unknown][]);
    if ("put" in change) entries.set(change.put, change.value);
    else if ("remove" in change) entries.delete(change.remove);
    else entries.clear();
    return entries.size === 0 ? undefined : [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  },
  read: (table, { key, namespace }) => {
    const entries = table.entries(key, namespace);
    expect(table.isEmpty(key, namespace)).toBe(entries.length === 0);
    for (const [field, value] of entries) expect(table.get(key, namespace, field)).toBe(value);
    return entries.length === 0 ? undefined : entries;
  },
  identities: (table) => table.identities(),
};

/** Many fields at once, so that maps grow over what is packed, and shrink again. */
type WideChange = MapChange | { readonly putAll: readonly (readonly [string, string])[] } | { readonly keep: number };
const WIDE_MAPS: TableKind<MapTable, WideChange> = {
  ...MAPS,
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.record({ put: manyFields, value: sizes }) },
    { weight: 3, arbitrary: fc.record({ remove: manyFields }) },
    { weight: 1, arbitrary: fc.constant({ clear: true as const }) },
    { weight: 2, arbitrary: fc.record({ putAll: fc.array(fc.tuple(manyFields, sizes), { maxLength: 11 }) }) },
    { weight: 2, arbitrary: fc.record({ keep: fc.nat(9) }) },
  ),
  apply: (table, place, change) => {
    const { key, namespace } = place;
    if ("putAll" in change) table.putAll(key, namespace, change.putAll);
    else if ("keep" in change) {
      for (const [field] of table.entries(key, namespace).slice(change.keep)) table.remove(key, namespace, field);
    } else MAPS.apply(table, place, change);
  },
  model: (content, change) => {
    if ("keep" in change) {
      const kept = ((content ?? []) as unknown[]).slice(0, change.keep);
      return kept.length === 0 ? undefined : kept;
    }
    if (!("putAll" in change)) return MAPS.model(content, change);
    return change.putAll.reduce((all, [put, value]) => MAPS.model(all, { put, value }), content);
  },
};

type ListChange = { readonly append: readonly unknown[] } | { readonly replace: readonly unknown[] };
const elements = fc.array(values, { maxLength: 3 });
const LISTS: TableKind<ListTable, ListChange> = {
  make: (options) => new ListTable(options),
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.record({ append: elements }) },
    { weight: 1, arbitrary: fc.record({ append: fc.constant(Array.from({ length: 300 }, (_, i) => i)) }) },
    { weight: 2, arbitrary: fc.record({ replace: elements }) },
  ),
  apply: (table, { key, namespace }, change) =>
    "append" in change ? table.append(key, namespace, change.append) : table.replace(key, namespace, change.replace),
  model: (content, change) => {
    const list = "append" in change ? [...((content ?? []) as unknown[]), ...change.append] : [...change.replace];
    return list.length === 0 ? undefined : list;
  },
  read: (table, { key, namespace }) => {
    const list = table.get(key, namespace);
    expect(Object.isFrozen(list)).toBe(true);
    return list.length === 0 ? undefined : [...list];
  },
  identities: (table) => table.identities(),
};

function behaves<Table extends StateTable, Change>(
  kind: TableKind<Table, Change>,
  options: StepOptions = {},
): Promise<void> {
  const property = fc.asyncProperty(stepsOf(kind.changes, options), fc.boolean(), (steps, isNamespaced) =>
    new TableHistory(kind, isNamespaced).run(steps),
  );
  return fc.assert(property, { numRuns: NUM_RUNS });
}

describe("a table is a plain map, and its barriers never change, through any epochs", () => {
  test("of values", () => behaves(VALUES));
  test("of values that expire", () => behaves(EXPIRING));
  test("of maps", () => behaves(MAPS));
  test("T37 T38 of maps that grow over what is packed and shrink again", () =>
    behaves(WIDE_MAPS, { keys: ["a"], lengthMax: 120, size: "large" }));
  test("of lists", () => behaves(LISTS));
});

describe("every table", () => {
  test.each([
    ["values", VALUES.make],
    ["maps", MAPS.make],
    ["lists", LISTS.make],
  ])("of %s refuses a key of another task, and keeps nothing of it", async (_kind, make) => {
    const options = { ...tableOptions(false), groups: KeyGroups.of([{ first: 0, last: 0 }]) };
    const table = make(options);
    const foreign = ["a", "b", "c", "d", "e", "f"].filter((key) => string().hash(key) % 4 !== 0);
    expect(foreign.length).toBeGreaterThan(0);
    for (const key of foreign) {
      const write = (): void => {
        if (table instanceof ValueTable) table.put(key, EMPTY_KEY, 1);
        else if (table instanceof MapTable) table.put(key, EMPTY_KEY, "f", 1);
        else table.append(key, EMPTY_KEY, [1]);
      };
      expect(write).toThrow(expect.objectContaining({ code: "KEY_NOT_OWNED" }));
    }
    expect(table.liveRows).toBe(0);
    expect(table.freeze().count).toBe(0);
  });
});

describe("a table of values", () => {
  test("keeps its list of written keys short, however often they are written", async () => {
    const table = new ValueTable(tableOptions(false));
    const keys = ["a", "b", "c"];
    for (let i = 0; i < 300_000; i++) table.put(keys[i % 3], EMPTY_KEY, i);
    table.remove("b", EMPTY_KEY);
    expect(table.writtenBytes).toBeLessThan(2 ** 17 * 100);
    const rows = table.freeze();
    expect(rows.count).toBeLessThanOrEqual(2 ** 17);
    const frozen = new FrozenTable([rows], { epoch: 1, bytes: 0 });
    const entries = await entriesOf(frozen.entries(new Slicer(new ManualClock())));
    expect(entries.map(({ flags }) => flags).sort()).toEqual([0, 0, 1]);
    expect(table.get("a", EMPTY_KEY)).toBe(299_997);
    expect(table.get("c", EMPTY_KEY)).toBe(299_999);
  });

  test("keeps to each value its expiry while it drops repetitions", async () => {
    const table = EXPIRING.make(tableOptions(false));
    for (let i = 0; i < 100_001; i++) table.stamp(i % 2 === 0 ? "a" : "b", EMPTY_KEY, i, 1000 + i);
    const rows = table.freeze();
    expect(rows.count).toBeLessThan(100_001);
    const entries = await entriesOf(
      new FrozenTable([rows], { epoch: 1, bytes: 0 }).entries(new Slicer(new ManualClock())),
    );
    expect(entries.map(({ value }) => Buffer.from(value, "latin1").readDoubleBE(0)).sort()).toEqual([100_999, 101_000]);
  });

  test("drops no key while it drops repetitions", () => {
    const table = new ValueTable(tableOptions(false));
    for (let i = 0; i < 1000; i++) table.put(`once ${i}`, EMPTY_KEY, i);
    for (let i = 0; i < 200_000; i++) table.put(`often ${i % 10}`, EMPTY_KEY, i);
    const rows = table.freeze();
    const keys = new Set(Array.from({ length: rows.count }, (_, at) => rows.sortKeyAt(at)));
    expect(keys.size).toBe(1010);
  });
});

describe("the order of keys", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.string({
      unit: fc.constantFrom("\0", "\u0001", "a", "\ud7ff", "\ue000", "\uffff", "😀", "\u{10ffff}"),
      maxLength: 5,
    }),
  );

  function ordersAlike<Key>(codec: KeyCodec<Key>, keys: fc.Arbitrary<Key>): void {
    const address = new Address(codec, undefined);
    const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    const property = fc.property(keys, keys, (a, b) => {
      const [left, right] = [a, b].map((key) => address.identity(key, EMPTY_KEY));
      const byText = sign(address.sortKey(left ?? 0), address.sortKey(right ?? 0));
      expect(byText).toBe(sign(codec.encode(a), codec.encode(b)));
    });
    fc.assert(property, { numRuns: 2000 });
  }

  test("by sort key is that of the encodings, for any text", () => ordersAlike(string(), texts));
  test("by sort key is that of the encodings, for any number", () => {
    ordersAlike(number(), fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 0, Number.NaN)));
  });

  test("of a barrier with many rows is that of the encodings", async () => {
    const table = new ValueTable(tableOptions(false, new Epoch(1)));
    const keys = Array.from({ length: 20_000 }, (_, i) =>
      String.fromCodePoint(0xd000 + ((i * 7919) % 0x3000) + (i % 2) * 0x4000),
    );
    const wellFormed = keys.filter(isWellFormed);
    for (const key of wellFormed) table.put(key, EMPTY_KEY, 1);
    const frozen = new FrozenTable([table.freeze()], { epoch: 1, bytes: 0 });
    const found = (await entriesOf(frozen.entries(new Slicer(new ManualClock())))).map(({ key }) => key);
    expect(found).toEqual([...new Set<BinaryKey>(found)].sort());
    expect(found.length).toBe(new Set(wellFormed).size);
  });
});
