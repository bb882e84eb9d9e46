/** Scans of several key groups, which are read ahead: what was begun is ended, however it goes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import type { KeyRange, StoreEntry } from "../contracts/store.js";
import { type BinaryKey, joinKeys, readUint16 } from "../key/binary-key.js";
import { KeyGroups } from "../key/key-groups.js";
import type { OverlayRow } from "./merged-scan.js";
import { scanGroups } from "./scan-groups.js";
import { statePrefix } from "./store-entry.js";
import type { StoreReads } from "./store-reads.js";

const STATE = 3;

/** The chunks of a key group: how many entries each has. A negative number is a failure. */
type Group = readonly number[];

class Scans {
  begun = 0;
  ended = 0;
  readonly #groups: readonly Group[];

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  async *scanChunks({ start }: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    this.begun++;
    try {
      let entries = 0;
      for (const count of this.#groups[readUint16(start, 0)] ?? []) {
        await systemClock.yield();
        if (count < 0) throw new Error("lost");
        yield Array.from({ length: count }, () => ({
          key: joinKeys(start, String.fromCharCode(2 * entries++) as BinaryKey),
          value: Buffer.alloc(0),
        }));
      }
    } finally {
      this.ended++;
    }
  }
}

const groupsOf = (least: number): fc.Arbitrary<Group[]> =>
  fc.array(fc.array(fc.integer({ min: least, max: 3 }), { maxLength: 4 }), { minLength: 1, maxLength: 5 });

function scanOf(scans: Scans, groups: readonly Group[], overlay = new Map<number, OverlayRow<unknown>[]>()) {
  const scan = { stateId: STATE, groups: KeyGroups.all(groups.length), reads: scans as unknown as StoreReads, overlay };
  return scanGroups(scan, { stored: ({ key }) => key, changed: (key) => key });
}

describe("scans of key groups", () => {
  test("T144 end what they began, also if it fails, or nobody asks for more", async () => {
    await fc.assert(
      fc.asyncProperty(groupsOf(-1), fc.nat(12), async (groups, chunks) => {
        const scans = new Scans(groups);
        const scan = scanOf(scans, groups);
        const isLost = await takeSome(scan, chunks).then(
          () => false,
          () => true,
        );
        await systemClock.yield();
        expect(scans.ended).toBe(scans.begun);
        if (isLost) expect(groups.flat().some((count) => count < 0)).toBe(true);
      }),
    );
  });

  test("T144 give what the store has and what memory has, in order", async () => {
    const changes = fc.array(fc.record({ group: fc.nat(4), at: fc.nat(20), isThere: fc.boolean() }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(groupsOf(0), changes, async (groups, changed) => {
        const expected = new Map<BinaryKey, boolean>();
        for (const [group, chunks] of groups.entries()) {
          const count = chunks.reduce((sum, entries) => sum + entries, 0);
          for (let entry = 0; entry < count; entry++) expected.set(keyOf(group, 2 * entry), true);
        }
        const overlay = new Map<number, Map<BinaryKey, boolean>>();
        for (const { group, at, isThere } of changed) {
          if (group >= groups.length) continue;
          expected.set(keyOf(group, at), isThere);
          overlay.set(group, (overlay.get(group) ?? new Map<BinaryKey, boolean>()).set(keyOf(group, at), isThere));
        }
        const rows = new Map([...overlay].map(([group, keys]) => [group, overlayOf(keys)]));
        const found: BinaryKey[] = [];
        for await (const chunk of scanOf(new Scans(groups), groups, rows)) found.push(...chunk);
        expect(found).toEqual([...expected].flatMap(([key, isThere]) => (isThere ? [key] : [])).sort());
      }),
    );
  });
});

async function takeSome(scan: AsyncIterable<unknown>, chunks: number): Promise<void> {
  let left = chunks;
  for await (const _ of scan) if (left-- <= 0) return;
}

function keyOf(group: number, at: number): BinaryKey {
  return joinKeys(statePrefix(group, STATE), String.fromCharCode(at) as BinaryKey);
}

function overlayOf(keys: ReadonlyMap<BinaryKey, boolean>): OverlayRow<unknown>[] {
  return [...keys]
    .map(([key, isThere]) => ({ key, clears: false, content: isThere ? true : undefined }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
