import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planKills } from "./kill-plan.js";

const settings = fc
  .record({ checkpointEvery: fc.integer({ min: 1, max: 1000 }), kills: fc.nat(20), room: fc.nat(1000), seed: fc.nat() })
  .map(({ checkpointEvery, kills, room, seed }) => {
    return { events: checkpointEvery + kills + room, checkpointEvery, kills, seed };
  });

describe("planKills", () => {
  test("as many kills as asked for, ascending, after the first checkpoint and before the end", () => {
    fc.assert(
      fc.property(settings, (given) => {
        const positions = planKills(given).map(({ position }) => position);
        expect(positions).toHaveLength(given.kills);
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        for (const position of positions) {
          expect(position).toBeGreaterThanOrEqual(given.checkpointEvery);
          expect(position).toBeLessThan(given.events);
        }
      }),
    );
  });

  test("every second kill aims at an upload", () => {
    const plan = planKills({ events: 1000, checkpointEvery: 100, kills: 4, seed: 1 });
    expect(plan.map(({ aim }) => aim)).toEqual(["processing", "upload", "processing", "upload"]);
  });

  test("the seed decides", () => {
    const given = { events: 3_000_000, checkpointEvery: 250_000, kills: 2, seed: 1 };
    expect(planKills(given)).toEqual(planKills(given));
    expect(planKills(given)).not.toEqual(planKills({ ...given, seed: 2 }));
  });
});
