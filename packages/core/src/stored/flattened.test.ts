/** Flattened chunks against a generator that gives the same. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Flattened } from "./flattened.js";

const chunkLists = fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { maxLength: 6 });

function source(chunks: readonly (readonly number[])[], events: string[] = []) {
  return async function* () {
    events.push("begun");
    try {
      for (const chunk of chunks) {
        await Promise.resolve();
        yield chunk;
      }
    } finally {
      events.push("ended");
    }
  };
}

describe("flattened chunks", () => {
  test("give what a generator gives, also to who does not wait for one answer before the next question", async () => {
    await fc.assert(
      fc.asyncProperty(chunkLists, fc.integer({ min: 1, max: 5 }), async (chunks, atOnce) => {
        const items = new Flattened(source(chunks));
        const found: (number | undefined)[] = [];
        for (let isDone = false; !isDone; ) {
          const answers = await Promise.all(Array.from({ length: atOnce }, () => items.next()));
          for (const { done, value } of answers) if (done !== true) found.push(value);
          isDone = answers.some(({ done }) => done);
        }
        expect(found).toEqual(chunks.flat());
        expect(await items.next()).toEqual({ done: true, value: undefined });
      }),
    );
  });

  test("end what they began, whether it is read to its end or not, and begin nothing before the first question", async () => {
    const events: string[] = [];
    const items = new Flattened(source([[1, 2], [3]], events));
    expect(events).toEqual([]);
    for await (const item of items) if (item === 2) break;
    expect(events).toEqual(["begun", "ended"]);
    expect(await items.next()).toEqual({ done: true, value: undefined });
    const unread = new Flattened(source([[1]], events));
    await unread.return();
    expect(await unread.next()).toEqual({ done: true, value: undefined });
    expect(events).toEqual(["begun", "ended"]);
    for await (const _ of new Flattened(source([[1], []], events)));
    expect(events).toEqual(["begun", "ended", "begun", "ended"]);
  });

  test("tell the error of their source once, and are at their end then", async () => {
    const items = new Flattened(async function* () {
      yield [1];
      await Promise.resolve();
      throw new Error("gone");
    });
    const answers = await Promise.allSettled([items.next(), items.next(), items.next()]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await items.next()).toEqual({ done: true, value: undefined });
  });
});
