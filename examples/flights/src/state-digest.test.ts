import { describe, expect, test } from "vitest";
import type { FlightState } from "./flight-state.js";
import { canonicalJson, digestState } from "./state-digest.js";

const flight = { date: 1, destination: "SEA", delay: -3, distance: 500 };
const state: FlightState = {
  flights: { ATL: 1, ORD: 2 },
  delay: { ATL: { mean: -3, max: -3, onTimeShare: 1 } },
  destinations: { ATL: { SEA: 1 } },
  daily: {},
  recent: { ATL: [flight] },
  worst: { ATL: flight },
  position: [3],
};

describe("digestState", () => {
  test("does not depend on the order of members", () => {
    const turned = Object.fromEntries(Object.entries({ ...state, flights: { ORD: 2, ATL: 1 } }).reverse());
    expect(digestState(turned as unknown as FlightState)).toEqual(digestState(state));
  });

  test.each<[string, Partial<FlightState>]>([
    ["flights", { flights: { ATL: 1, ORD: 3 } }],
    ["flights", { flights: { ATL: 1 } }],
    ["delay", { delay: { ATL: { mean: -3 + 1e-15, max: -3, onTimeShare: 1 } } }],
    ["destinations", { destinations: { ATL: { SEA: 1, ORD: 1 } } }],
    ["recent", { recent: { ATL: [flight, flight] } }],
    ["worst", { worst: { ATL: { ...flight, date: 2 } } }],
    ["position", { position: [4] }],
  ])("shows a change of %s", (name, change) => {
    const before = digestState(state);
    const after = digestState({ ...state, ...change });
    expect(after.digest).not.toBe(before.digest);
    const parted = Object.keys(after.digests).filter((part) => after.digests[part] !== before.digests[part]);
    expect(parted).toEqual([name]);
  });

  test("is SHA-256 of the canonical JSON", () => {
    expect(canonicalJson({ b: [1, "x", null], a: { d: true, c: 0.1 } })).toBe(
      '{"a":{"c":0.1,"d":true},"b":[1,"x",null]}',
    );
    expect(digestState(state).digests.position).toBe(
      "06d033ece6645de592db973644cf7357255f24536ff7b03c3b2ace10736f7636",
    );
  });

  test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])("refuses %s", (content) => {
    expect(() => canonicalJson({ content })).toThrow(TypeError);
  });
});
