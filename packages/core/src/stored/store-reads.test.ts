import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import type { BinaryKey } from "../key/binary-key.js";
import { memoryStore } from "../storage/memory-store.js";
import { StoreReads } from "./store-reads.js";

describe("reads of a store", () => {
  test("T144 are told what the store throws at once, as what it rejects with", async () => {
    const store = memoryStore().create();
    let isBroken = true;
    store.getMany = () => {
      if (isBroken) throw new Error("no such call");
      return Promise.resolve([Buffer.from("value")]);
    };
    const reads = new StoreReads(store, systemClock);
    const take = (value: Uint8Array | undefined): string => String(value);
    const [first, second] = await Promise.allSettled([
      reads.get("a" as BinaryKey, take),
      reads.get("b" as BinaryKey, take),
    ]);
    expect([first, second].map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    isBroken = false;
    expect(await reads.get("a" as BinaryKey, take)).toBe("value");
  });
});
