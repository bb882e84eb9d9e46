/**
 * What the storage in memory has of its own: its limit, and how it is closed. The clauses that it shares with every storage are laws of
 * the conformance kit, which packages/memory/test/conformance.test.ts runs on it.
 */

import { describe, expect, it } from "vitest";
import { Gate } from "../../test/support/gate.js";
import { objectsOf, readAll } from "../../test/support/objects.js";
import { memoryStorage } from "./memory-storage.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function* stream(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

describe("the limit of an object", () => {
  it("CS5 a body beyond it is LIMIT_EXCEEDED and leaves nothing, one at the limit is kept", async () => {
    const small = memoryStorage({ objectBytesMax: 4 });
    await expect(small.put("a", bytes("12345"))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    await expect(small.put("a", stream(bytes("123"), bytes("45")))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect((await objectsOf(small)).size).toBe(0);
    await small.put("a", stream(bytes("123"), bytes("4")));
    expect((await readAll(small, "a")).toString()).toBe("1234");
  });

  it.each([0, -1, Number.NaN])("of %d is a RangeError", (objectBytesMax) => {
    expect(() => memoryStorage({ objectBytesMax })).toThrow(RangeError);
  });
});

describe("closing", () => {
  it("CS9 refuses what comes after it, any number of times", async () => {
    const storage = memoryStorage();
    await storage.put("a", bytes("x"));
    await storage.close();
    await storage.close();
    const closed = { code: "CLOSED", retryable: false };
    await expect(storage.put("b", bytes("x"))).rejects.toMatchObject(closed);
    await expect(readAll(storage, "a")).rejects.toMatchObject(closed);
    await expect(objectsOf(storage)).rejects.toMatchObject(closed);
    await expect(storage.remove(["a"])).rejects.toMatchObject(closed);
  });

  it("CS9 waits for calls under way", async () => {
    const storage = memoryStorage();
    const gate = new Gate();
    const slow = async function* () {
      yield bytes("x");
      await gate.opened;
      yield bytes("y");
    };
    const put = storage.put("a", slow());
    let isClosed = false;
    const closing = storage.close().then(() => (isClosed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    gate.open();
    await Promise.all([closing, expect(put).resolves.toBe("created")]);
  });
});
