/** The index of rows against a plain list of what is in it. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RowIndex } from "./row-index.js";

/** Few, some of which begin at the last slots, so that rows go on at the first ones. */
const HASHES = [0, 1, -1, 5, 0x9e37_79b1 | 0, 1640531527, 123_456, -123_456];

const steps = fc.array(
  fc.record({ kind: fc.constantFrom("add", "add", "remove", "move"), hash: fc.nat(HASHES.length - 1), pick: fc.nat() }),
  { maxLength: 400 },
);

describe("index of rows", () => {
  test("T144 finds what was added and not removed, whatever hashes collide", () => {
    fc.assert(
      fc.property(steps, (program) => {
        const index = new RowIndex();
        const hashes = new Map<number, number>();
        let next = 1;
        for (const { kind, hash, pick } of program) {
          const addresses = [...hashes.keys()];
          const address = addresses[pick % Math.max(1, addresses.length)];
          if (kind === "add") {
            index.add(HASHES[hash] as number, next);
            hashes.set(next++, HASHES[hash] as number);
          } else if (address !== undefined) {
            const known = hashes.get(address) as number;
            hashes.delete(address);
            const slot = index.slotOf(known, address);
            if (kind === "remove") index.remove(slot);
            else {
              index.move(slot, next);
              hashes.set(next++, known);
            }
            expect(index.slotOf(known, address)).toBe(-1);
          }
          for (const [known, itsHash] of hashes) expect(addressOf(index, itsHash, known)).toBe(known);
        }
      }),
    );
  });

  test("T144 finds what is left when it grew large and small again", () => {
    const index = new RowIndex();
    for (let address = 1; address <= 20_000; address++) index.add(address % 5_000, address);
    for (let address = 1; address <= 20_000; address++) {
      if (address % 1_000 !== 0) index.remove(index.slotOf(address % 5_000, address));
    }
    for (let address = 1; address <= 20_000; address++) {
      expect(addressOf(index, address % 5_000, address)).toBe(address % 1_000 === 0 ? address : undefined);
    }
  });
});

function addressOf(index: RowIndex, hash: number, address: number): number | undefined {
  const slot = index.slotOf(hash, address);
  return slot < 0 || index.hashAt(slot) !== hash ? undefined : index.addressAt(slot);
}
