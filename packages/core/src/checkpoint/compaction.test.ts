import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SeededRandom, seededRandom } from "../../test/support/seeded-random.js";
import { BASE_LEVEL, type ChainLink, planCompaction } from "./compaction.js";

/** A segment of the simulation: its keys, of which deleted ones take bytes too. All entries have one length. */
interface SimulatedSegment extends ChainLink {
  readonly entries: ReadonlyMap<number, "put" | "deletion">;
}

type Entries = ReadonlyMap<number, "put" | "deletion">;

class Simulation {
  chain: readonly SimulatedSegment[] = [];
  uploadedBytes = 0;
  deltaBytes = 0;
  readonly live = new Set<number>();

  checkpoint(delta: Entries): void {
    for (const [key, change] of delta) {
      if (change === "put") this.live.add(key);
      else this.live.delete(key);
    }
    const liveBytes = this.live.size;
    const plan = planCompaction({ chain: this.chain, deltaBytes: delta.size, liveBytes });
    const merged = new Map([...this.chain.slice(plan.keep), { entries: delta }].flatMap(({ entries }) => [...entries]));
    const entries = plan.keep > 0 ? merged : new Map([...merged].filter(([, change]) => change === "put"));
    this.chain = [...this.chain.slice(0, plan.keep), { level: plan.level, visibleBytes: entries.size, entries }];
    this.uploadedBytes += entries.size;
    this.deltaBytes += delta.size;
  }

  get restoreBytes(): number {
    return this.chain.reduce((sum, { visibleBytes }) => sum + visibleBytes, 0);
  }
}

function checkChain({ chain }: Simulation): void {
  expect(chain.length).toBeLessThanOrEqual(16);
  for (const [i, { level }] of chain.entries()) expect(level).toBeLessThanOrEqual(chain[i - 1]?.level ?? BASE_LEVEL);
}

const changes = fc.constantFrom("put", "put", "deletion");
const delta = fc
  .record({ from: fc.nat(2000), count: fc.oneof(fc.nat(8), fc.nat(600)), change: changes })
  .map(({ from, count, change }): Entries => {
    return new Map(Array.from({ length: count }, (_, i) => [from + i, change]));
  });

describe("T32 the compaction policy", () => {
  test("keeps any chain short, its levels in order, and a restore within twice the live state", () => {
    const property = fc.property(fc.array(delta, { maxLength: 120 }), (deltas) => {
      const simulation = new Simulation();
      for (const next of deltas) {
        // What has no changes is not compacted either.
        if (next.size === 0) continue;
        simulation.checkpoint(next);
        checkChain(simulation);
        expect(simulation.restoreBytes).toBeLessThanOrEqual(2 * simulation.live.size);
      }
    });
    fc.assert(property, { numRuns: 150 });
  });

  test("keeps its promises for any chain that rescaling may leave, whatever the estimates", () => {
    const links = fc.array(
      fc.record({ level: fc.constantFrom(0, 0, 0, 1, 2, 3, BASE_LEVEL), visibleBytes: fc.nat(1000) }),
      { maxLength: 60 },
    );
    const property = fc.property(
      links,
      fc.integer({ min: 1, max: 500 }),
      fc.nat(5000),
      (drawn, deltaBytes, liveBytes) => {
        const chain = drawn.sort((a, b) => b.level - a.level);
        const { keep, level } = planCompaction({ chain, deltaBytes, liveBytes });
        expect(keep).toBeGreaterThanOrEqual(0);
        expect(keep).toBeLessThanOrEqual(chain.length);
        expect(keep + 1).toBeLessThanOrEqual(16);
        expect(level).toBeLessThanOrEqual(chain[keep - 1]?.level ?? BASE_LEVEL);
        const restoreBytes = chain.reduce((sum, { visibleBytes }) => sum + visibleBytes, deltaBytes);
        if (keep > 0) expect(restoreBytes).toBeLessThanOrEqual(2 * liveBytes);
        else expect(level).toBe(BASE_LEVEL);
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  test("begins with a base", () => {
    expect(planCompaction({ chain: [], deltaBytes: 10, liveBytes: 10 })).toEqual({ keep: 0, level: BASE_LEVEL });
  });

  test("makes eight segments of a level one of the next", () => {
    const base = { level: BASE_LEVEL, visibleBytes: 1e6 };
    const seven = Array.from({ length: 7 }, () => ({ level: 0, visibleBytes: 10 }));
    const plan = (chain: readonly ChainLink[]) => planCompaction({ chain, deltaBytes: 10, liveBytes: 1e6 });
    expect(plan([base, ...seven.slice(1)])).toEqual({ keep: 7, level: 0 });
    expect(plan([base, ...seven])).toEqual({ keep: 1, level: 1 });
    const ones = seven.map((link) => ({ ...link, level: 1 }));
    expect(plan([base, ...ones, ...seven])).toEqual({ keep: 1, level: 2 });
  });

  test("rewrites the base when the deltas outweigh it, or when most of the chain is dead", () => {
    const chain = [
      { level: BASE_LEVEL, visibleBytes: 100 },
      { level: 0, visibleBytes: 90 },
    ];
    expect(planCompaction({ chain, deltaBytes: 10, liveBytes: 150 }).keep).toBe(2);
    expect(planCompaction({ chain, deltaBytes: 11, liveBytes: 150 }).keep).toBe(0);
    expect(planCompaction({ chain, deltaBytes: 10, liveBytes: 99 }).keep).toBe(0);
  });
});

const LIVE = 20_000;
const DRAWS: Readonly<Record<string, (random: SeededRandom) => number>> = {
  uniform: (random) => random.below(LIVE),
  // The inverse of the distribution function of 1/x.
  zipf: (random) => Math.floor(LIVE ** (random.below(1_000_000) / 1_000_000)) - 1,
};

describe.each(Object.entries(DRAWS))("%s updates", (_name, draw) => {
  test.each([
    [200, 0.0005, 3],
    [200, 0.002, 3.5],
    [200, 0.01, 3],
    [200, 0.05, 3],
    [200, 0.1, 3],
    [1_500, 0.0005, 4.5],
  ])("in %d checkpoints of a share of %d upload at most %d times what changed", (count, share, timesMax) => {
    const random = seededRandom(1);
    const simulation = new Simulation();
    simulation.checkpoint(new Map(Array.from({ length: LIVE }, (_, key) => [key, "put"])));
    simulation.uploadedBytes = 0;
    simulation.deltaBytes = 0;
    for (let i = 0; i < count; i++) {
      simulation.checkpoint(new Map(Array.from({ length: LIVE * share }, () => [draw(random), "put"])));
      checkChain(simulation);
      expect(simulation.restoreBytes).toBeLessThanOrEqual(2 * LIVE);
    }
    expect(simulation.uploadedBytes).toBeLessThanOrEqual(timesMax * simulation.deltaBytes);
  });
});
