/** CS6: exactly the bytes that were asked for. */

import type { Law } from "../../runner/law.js";
import type { CheckpointStorage } from "@tidemark/core";
import { bytes, expectAbsent, expectBytes, expectObject, expectRefused, someBytes } from "./objects.js";

const OBJECTS = { contract: "storage", level: "objects", clauses: ["CS6"] } as const;

export const READ_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "ranges-exact",
    title: "A range gives its bytes, no more and no fewer",
    async run(context) {
      const storage = await (await context.place()).open();
      const length = Math.min(1_500_000, context.capabilities.objectBytesMax);
      const body = someBytes(length);
      await storage.put("a", body);
      const ends = [0, 1, 3, 4_096, 65_536, 65_537, length - 1, length].filter((end) => end <= length);
      for (const start of ends) {
        for (const end of ends.filter((other) => other >= start)) {
          expectBytes(await read(storage, "a", { start, end }), body.subarray(start, end), `get of ${start}..${end}`);
          context.countCase();
        }
      }
    },
  },
  {
    ...OBJECTS,
    id: "ranges-beyond-the-end",
    title: "A range beyond the end is CHECKPOINT_CORRUPT, and one that is none is a RangeError",
    async run(context) {
      const storage = await (await context.place()).open();
      await storage.put("a", bytes("abc"));
      const beyond = [
        [0, 4],
        [4, 4],
        [2, 2 ** 40],
      ] as const;
      for (const [start, end] of beyond) {
        await expectRefused(() => read(storage, "a", { start, end }), "CHECKPOINT_CORRUPT", `get of ${start}..${end}`);
      }
      const none = [
        [-1, 2],
        [2, 1],
        [0.5, 1],
        [0, Number.NaN],
      ] as const;
      for (const [start, end] of none) {
        await expectRefused(() => read(storage, "a", { start, end }), RangeError, `get of ${start}..${end}`);
      }
    },
  },
  {
    ...OBJECTS,
    id: "chunks-are-callers",
    title: "What was read may be changed by the caller",
    async run(context) {
      const storage = await (await context.place()).open();
      const body = someBytes(Math.min(1_100_000, context.capabilities.objectBytesMax));
      await storage.put("a", body);
      const chunks: Uint8Array[] = [];
      for await (const chunk of storage.get("a")) chunks.push(chunk);
      expectBytes(Buffer.concat(chunks), body, "The chunks, after the last was read");
      for (const chunk of chunks) chunk.fill(0);
      await expectObject(storage, "a", body);
    },
  },
  {
    ...OBJECTS,
    id: "absent-is-told",
    title: "An absent object is CHECKPOINT_NOT_FOUND, whatever is around it",
    async run(context) {
      const storage = await (await context.place()).open();
      await expectAbsent(storage, "a");
      await storage.put("a/b", bytes("x"));
      for (const name of ["a", "a/c", "b/b", "a/b/c"]) await expectAbsent(storage, name);
      for (const range of [
        { start: 0, end: 0 },
        { start: 0, end: 1 },
      ]) {
        await expectRefused(() => read(storage, "a/c", range), "CHECKPOINT_NOT_FOUND", "A range of an absent object");
      }
    },
  },
  {
    ...OBJECTS,
    id: "reads-are-abandoned",
    title: "A reader that stops early takes nothing from the next",
    async run(context) {
      const storage = await (await context.place()).open();
      const body = someBytes(Math.min(1_100_000, context.capabilities.objectBytesMax));
      await storage.put("a", body);
      for (let time = 0; time < 20; time++) {
        const reader = storage.get("a")[Symbol.asyncIterator]();
        await reader.next();
        await reader.return?.();
      }
      await expectObject(storage, "a", body);
      await storage.close();
    },
  },
  {
    ...OBJECTS,
    level: "surroundings",
    id: "read-back",
    hooks: ["readBack"],
    title: "The bytes that lie below the adapter are there, and only for what was stored",
    judgesHarness: true,
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      await storage.put("a/b", bytes("below"));
      const found = await place.readBack("a/b");
      if (found === undefined || found.length === 0) throw new Error('readBack("a/b") found nothing after a put');
      const absent = await place.readBack("a/c");
      if (absent !== undefined) throw new Error('readBack("a/c") found something that nobody has put');
      await storage.remove(["a/b"]);
      if ((await place.readBack("a/b")) !== undefined) throw new Error('readBack("a/b") still finds what was removed');
    },
  },
];

async function read(
  storage: CheckpointStorage,
  name: string,
  range: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name, range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
