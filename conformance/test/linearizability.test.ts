/** The search for an order, on histories that have one and on histories that have none; and what it finds in the references. */

import { describe, expect, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { memoryPlace } from "../src/harness.js";
import { BROKEN_OWNERS, brokenOwnerHarness } from "../src/laws-of-stores/broken-owners.js";
import { memoryStoreHarness } from "../src/laws-of-stores/memory-harness.js";
import { contendedObjects } from "../src/linearizability/contended-objects.js";
import { contendedScopes } from "../src/linearizability/contended-scopes.js";
import { expectLinearizable } from "../src/linearizability/expect-linearizable.js";
import type { Operation } from "../src/linearizability/history.js";
import { linearize } from "../src/linearizability/linearize.js";
import { OBJECT_REGISTER, type ObjectCall } from "../src/linearizability/object-register.js";
import { type ScopeCall, scopeRegister } from "../src/linearizability/scope-register.js";

/** From when to when, and what; without an end nobody was told. */
type Told<Call> = readonly [invoked: number, returned: number | undefined, call: Call];

function history<Call>(...told: readonly Told<Call>[]): readonly Operation<Call>[] {
  return told.map(([invoked, returned = Infinity, call]) => {
    return { call, caller: "", invoked, returned, isOptional: returned === Infinity, text: JSON.stringify(call) };
  });
}

const create = (body: string, result?: "created" | "exists"): ObjectCall =>
  result === undefined ? { kind: "create", body } : { kind: "create", body, result };
const read = (body?: string): ObjectCall => (body === undefined ? { kind: "read" } : { kind: "read", body });
const listed = (isThere: boolean): ObjectCall => ({ kind: "listed", isThere });
const remove: ObjectCall = { kind: "remove" };

function isLinearizable(...told: readonly Told<ObjectCall>[]): boolean {
  return linearize(history(...told), OBJECT_REGISTER).isLinearizable;
}

describe("histories of an object that an order explains", () => {
  const cases: Record<string, readonly Told<ObjectCall>[]> = {
    "nothing happened": [],
    "one after the other": [
      [1, 2, create("a", "created")],
      [3, 4, create("b", "exists")],
      [5, 6, read("a")],
    ],
    "a read beside the create sees it or not": [
      [1, 9, create("a", "created")],
      [2, 3, read()],
      [4, 5, read("a")],
      [6, 7, listed(true)],
    ],
    "the create that was asked later wins": [
      [1, 6, create("a", "exists")],
      [2, 5, create("b", "created")],
      [7, 8, read("b")],
    ],
    "a create without an answer is seen late": [
      [1, undefined, create("a")],
      [2, 3, read()],
      [4, 5, read()],
      [6, 7, create("b", "exists")],
      [8, 9, read("a")],
    ],
    "a create without an answer never happened": [
      [1, undefined, create("a")],
      [2, 3, create("b", "created")],
      [4, 5, read("b")],
    ],
    "a removal without an answer makes room": [
      [1, 2, create("a", "created")],
      [3, undefined, remove],
      [4, 5, read("a")],
      [6, 7, create("b", "created")],
    ],
  };
  it.each(Object.keys(cases))("%s", (name) => {
    expect(isLinearizable(...(cases[name] ?? []))).toBe(true);
  });
});

describe("histories of an object that no order explains", () => {
  const cases: Record<string, readonly Told<ObjectCall>[]> = {
    "two have created it": [
      [1, 4, create("a", "created")],
      [2, 3, create("b", "created")],
    ],
    "it exists, and nobody has created it": [[1, 2, create("a", "exists")]],
    "it exists, and is not seen": [
      [1, 6, create("a", "created")],
      [2, 3, create("b", "exists")],
      [4, 5, read()],
    ],
    "a read is older than the one before it": [
      [1, 8, create("a", "created")],
      [2, 3, read("a")],
      [4, 5, read()],
    ],
    "a listing lacks what a create has found": [
      [1, 2, create("a", "created")],
      [3, 4, listed(false)],
    ],
    "what was removed is back": [
      [1, 2, create("a", "created")],
      [3, 4, remove],
      [5, 6, read("a")],
    ],
    "a create without an answer happened twice": [
      [1, undefined, create("a")],
      [2, 3, read("a")],
      [4, 5, remove],
      [6, 7, read()],
      [8, 9, read("a")],
    ],
    "a create without an answer was seen before it was asked": [
      [1, 2, read("a")],
      [3, undefined, create("a")],
    ],
    "the bytes are those of another": [
      [1, 2, create("a", "created")],
      [3, 4, create("b", "exists")],
      [5, 6, read("b")],
    ],
  };
  it.each(Object.keys(cases))("%s", (name) => {
    expect(isLinearizable(...(cases[name] ?? []))).toBe(false);
  });
});

it("a history without an order is told with its calls drawn", () => {
  const operations = history<ObjectCall>([1, 4, create("a", "created")], [2, undefined, create("b")], [5, 6, read()]);
  const named = operations.map((each, index) => ({ ...each, caller: `caller ${index}`, text: each.call.kind }));
  const judge = (): void => expectLinearizable("an object", named, OBJECT_REGISTER);
  expect(judge).toThrow(/^No order of the calls explains an object: where it gets farthest, next would be read\.$/m);
  expect(judge).toThrow(/^caller 0 {2}create {2}├─┤\ncaller 1 {2}create {3}├────…\ncaller 2 {2}read {7}├┤$/m);
});

describe("the owners of a scope", () => {
  const FIRST = { mark: 1, value: "1" };
  const register = scopeRegister(FIRST, "fences");
  const opens = (handle: number, mark: number, applying?: number): ScopeCall =>
    applying === undefined ? { kind: "open", handle, mark } : { kind: "open", handle, mark, applying };
  const applies = (handle: number, mark: number): ScopeCall => ({ kind: "apply", handle, mark, value: `${mark}` });
  const reads = (handle: number, value: string): ScopeCall => ({ kind: "read", handle, value });
  const explains = (...told: readonly Told<ScopeCall>[]): boolean =>
    linearize(history(...told), register).isLinearizable;

  it("the later one finds what the earlier one has applied", () => {
    expect(explains([1, 2, opens(1, 1)], [3, 4, applies(1, 2)], [5, 6, opens(2, 2)], [7, 8, reads(2, "2")])).toBe(true);
    expect(explains([1, 2, opens(1, 1)], [3, 4, applies(1, 2)], [5, 6, opens(2, 1)])).toBe(false);
  });

  it("an apply of a fenced owner is done by nobody", () => {
    expect(explains([1, 2, opens(1, 1)], [3, 4, opens(2, 1)], [5, 6, applies(1, 2)])).toBe(false);
    expect(explains([1, 2, opens(1, 1)], [3, 6, applies(1, 2)], [4, 5, opens(2, 2)])).toBe(true);
    const fenced: ScopeCall = { kind: "fenced", handle: 1 };
    expect(explains([1, 2, opens(1, 1)], [3, 4, opens(2, 1)], [5, 6, fenced], [7, 8, reads(2, "1")])).toBe(true);
    expect(explains([1, 2, opens(1, 1)], [3, 4, fenced])).toBe(false);
  });

  it("what is being applied may be read, and is said to be", () => {
    const begins: ScopeCall = { kind: "begin", handle: 1, mark: 2, value: "2" };
    expect(explains([1, 2, opens(1, 1)], [3, 8, begins], [4, 5, reads(1, "2")], [6, 7, reads(1, "1")])).toBe(true);
    expect(explains([1, 2, opens(1, 1)], [3, undefined, begins], [4, 5, opens(2, 1, 2)], [6, 7, reads(2, "2")])).toBe(
      true,
    );
    expect(explains([1, 2, opens(1, 1)], [3, undefined, begins], [4, 5, opens(2, 1)], [6, 7, reads(2, "2")])).toBe(
      false,
    );
  });

  it("where one at a time may have it, the other has closed before", () => {
    const alone = scopeRegister(FIRST, "refused");
    const both = history<ScopeCall>([1, 2, opens(1, 1)], [3, 4, opens(2, 1)]);
    expect(linearize(both, alone).isLinearizable).toBe(false);
    const closed = history<ScopeCall>([1, 2, opens(1, 1)], [3, 6, { kind: "close", handle: 1 }], [4, 5, opens(2, 1)]);
    expect(linearize(closed, alone).isLinearizable).toBe(true);
  });
});

describe("the references", () => {
  it("CS10 what callers of the storage in memory are told fits one order", async () => {
    const coverage = new Coverage();
    const newPlace = async () => {
      const place = memoryPlace();
      return { open: async () => place.open() };
    };
    const property = contendedObjects(newPlace, { coverage, isShared: true, hasFaults: false });
    await checkProperty("contended objects", property, { runs: 300, seed: 3 });
    expect(coverage.counts.get("contended create") ?? 0).toBeGreaterThan(500);
  });

  it("S10 what owners of the store in memory are told fits one order", async () => {
    const property = contendedScopes(async () => memoryStoreHarness(), new Coverage());
    await checkProperty("contended scopes", property, { runs: 300, seed: 4 });
  });
});

describe("a store that believes in an owner for too long", () => {
  it("is one that is sound otherwise", async () => {
    const property = contendedScopes(async () => brokenOwnerHarness(), new Coverage());
    await checkProperty("contended scopes", property, { runs: 200, seed: 5 });
  });

  it.each(BROKEN_OWNERS)("is caught: it $what", async ({ change }) => {
    const property = contendedScopes(async () => brokenOwnerHarness(change), new Coverage());
    const running = checkProperty("contended scopes", property, { runs: 200, seed: 5, endOnFailure: true });
    await expect(running).rejects.toThrow(/Property failed/);
  });
});
