import fc from "fast-check";
import { expect, test } from "vitest";
import { Expiries } from "./expiries.js";
import { NEVER } from "./stamped.js";

const key = fc.constantFrom("a", "b", "c", "d", "e");
const expiry = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.maxSafeInteger());
const loading = fc.record({ load: key, expiry });
const stamping = fc.record({ stamp: key, later: fc.nat(3) });
const change = fc.oneof(
  loading,
  stamping,
  fc.record({ stampForEver: key }),
  fc.record({ remove: key }),
  fc.record({ takeAt: fc.nat(12) }),
);

test("T43 expiries are a plain map of which the earliest are taken first", () => {
  const property = fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const expiries = new Expiries();
    const model = new Map<string, number>();
    let stamp = 0;
    for (const step of changes) {
      if ("load" in step) {
        expiries.load(step.load, step.expiry);
        model.set(step.load, step.expiry);
      } else if ("stamp" in step) {
        stamp += step.later;
        expiries.set(step.stamp, stamp);
        model.set(step.stamp, stamp);
      } else if ("stampForEver" in step) {
        expiries.set(step.stampForEver, NEVER);
        model.delete(step.stampForEver);
      } else if ("remove" in step) {
        expiries.delete(step.remove);
        model.delete(step.remove);
      } else {
        const taken = takenAt(expiries, step.takeAt);
        const due = [...model.entries()].filter(([, at]) => at <= step.takeAt && at !== NEVER);
        expect(taken.map((identity) => model.get(identity))).toEqual(due.map(([, at]) => at).sort((a, b) => a - b));
        expect([...taken].sort()).toEqual(due.map(([identity]) => identity).sort());
        for (const identity of taken) model.delete(identity);
      }
      for (const identity of ["a", "b", "c", "d", "e"]) {
        expect(expiries.of(identity)).toBe(model.get(identity) ?? NEVER);
      }
      expect(expiries.first).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...finite(model)));
    }
    expect(takenAt(expiries, Number.MAX_SAFE_INTEGER).length).toBe(finite(model).length);
    expect(expiries.first).toBe(Number.POSITIVE_INFINITY);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("T43 many restored expiries are put in order", () => {
  const expiries = new Expiries();
  const times = Array.from({ length: 20_000 }, (_, at) => ((at * 7919) % 20_011) * 1_000_003);
  for (const [at, time] of times.entries()) expiries.load(at, time);
  const taken = takenAt(expiries, Number.MAX_SAFE_INTEGER).map((at) => times[Number(at)]);
  expect(taken).toEqual([...times].sort((a, b) => a - b));
});

function finite(model: ReadonlyMap<string, number>): number[] {
  return [...model.values()].filter((at) => at !== NEVER);
}

function takenAt(expiries: Expiries, now: number): string[] {
  const taken: string[] = [];
  for (let due = expiries.dueAt(now); due !== undefined; due = expiries.dueAt(now)) {
    taken.push(due as string);
    expiries.delete(due);
  }
  return taken;
}
