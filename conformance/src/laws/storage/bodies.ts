/** CS2, CS4 and CS5: what is stored is what was given, whole or not at all. */

import type { Law } from "../../runner/law.js";
import { expectEqual, expectThat, outcomeText, settled } from "../../oracles/expectations.js";
import { bytes, expectAbsent, expectNames, expectObject, expectRefused, someBytes, stream } from "./objects.js";

/** Around the sizes at which buffers, pages, packets and limits end. */
const LENGTHS = [0, 1, 255, 256, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 524_287, 524_288, 524_289, 1_700_000];

const OBJECTS = { contract: "storage", level: "objects" } as const;

export const BODY_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "bodies-kept",
    clauses: ["CS2"],
    title: "A body of any length is kept, for this handle and for the next",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      const lengths = LENGTHS.filter((length) => length <= context.capabilities.objectBytesMax);
      for (const length of lengths) {
        expectEqual(await storage.put(`size/${length}`, someBytes(length)), "created", `put of ${length} bytes`);
        await expectObject(storage, `size/${length}`, someBytes(length));
        context.countCase();
      }
      await storage.close();
      const next = await place.open();
      for (const length of lengths) await expectObject(next, `size/${length}`, someBytes(length));
    },
  },
  {
    ...OBJECTS,
    id: "limit-told",
    clauses: ["CS2"],
    appliesTo: ({ objectBytesMax }) => Number.isFinite(objectBytesMax),
    title: "A body at the declared limit is kept, and a larger one is LIMIT_EXCEEDED and leaves nothing",
    async run(context) {
      const { objectBytesMax } = context.capabilities;
      const storage = await (await context.place()).open();
      await storage.put("whole", someBytes(objectBytesMax));
      await expectObject(storage, "whole", someBytes(objectBytesMax));
      const tooLarge = someBytes(objectBytesMax + 1);
      await expectRefused(() => storage.put("large", tooLarge), "LIMIT_EXCEEDED", "put beyond the limit");
      const parts = stream(tooLarge.subarray(0, objectBytesMax), tooLarge.subarray(objectBytesMax));
      await expectRefused(() => storage.put("large", parts), "LIMIT_EXCEEDED", "a stream beyond the limit");
      await expectNames(storage, ["whole"]);
    },
  },
  {
    ...OBJECTS,
    id: "streams-kept",
    clauses: ["CS2"],
    title: "A stream is kept in order, and its buffers may be reused after each chunk",
    async run(context) {
      const storage = await (await context.place()).open();
      await storage.put("reused", reusing());
      await expectObject(storage, "reused", bytes("abcdefghi"));
      await storage.put("none", stream());
      await expectObject(storage, "none", bytes(""));
      await storage.put("some", stream(bytes(""), bytes("a"), bytes("")));
      await expectObject(storage, "some", bytes("a"));
    },
  },
  {
    ...OBJECTS,
    id: "buffer-is-callers",
    clauses: ["CS2"],
    title: "What was put may be changed by the caller afterwards",
    async run(context) {
      const storage = await (await context.place()).open();
      const body = Buffer.from("abc");
      await storage.put("a", body);
      body.fill("x");
      await expectObject(storage, "a", bytes("abc"));
    },
  },
  {
    ...OBJECTS,
    id: "never-replaced",
    clauses: ["CS4"],
    title: "The same bytes again are a success, other bytes are CHECKPOINT_CORRUPT and change nothing",
    async run(context) {
      const storage = await (await context.place()).open();
      const body = someBytes(Math.min(600_000, context.capabilities.objectBytesMax));
      await storage.put("a", body);
      expectEqual(await storage.put("a", body), "created", "The same bytes again");
      const other = Buffer.from(body);
      other[body.length - 1] = (other[body.length - 1] ?? 0) ^ 1;
      for (const wrong of [other, body.subarray(1), new Uint8Array(0)]) {
        await expectRefused(() => storage.put("a", wrong), "CHECKPOINT_CORRUPT", "Other bytes under a taken name");
      }
      await expectObject(storage, "a", body);
    },
  },
  {
    ...OBJECTS,
    id: "body-errors-pass",
    clauses: ["CS5"],
    title: "An error of the body passes as it is and leaves nothing, and so does a body of other things than bytes",
    async run(context) {
      const storage = await (await context.place()).open();
      const error = Object.assign(new Error("The body of the caller failed."), { code: "ENOENT" });
      const result = await settled(storage.put("a/b", failing(error)));
      expectThat("error" in result && result.error === error, `The error of the body: ${outcomeText(result)}`);
      await expectNames(storage, []);
      const text = stream("text" as unknown as Uint8Array);
      await expectRefused(() => storage.put("a/b", text), TypeError, "A body of text");
      await expectNames(storage, []);
      expectEqual(await storage.put("a/b", bytes("whole"), { ifAbsent: true }), "created", "put after a failed one");
    },
  },
  {
    ...OBJECTS,
    id: "absent-until-whole",
    clauses: ["CS5"],
    title: "A body is absent while it is written",
    async run(context) {
      const storage = await (await context.place()).open();
      let release = (): void => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const put = settled(storage.put("a", slow(gate)));
      try {
        await expectNames(storage, []);
        await expectAbsent(storage, "a");
      } finally {
        release();
      }
      expectEqual(await put, { value: "created" }, "The put");
      await expectObject(storage, "a", bytes("first second"));
    },
  },
];

async function* reusing(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(3);
  for (const part of ["abc", "def", "ghi"]) {
    buffer.write(part);
    yield buffer;
    buffer.fill("x");
  }
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield bytes("part");
  throw error;
}

async function* slow(gate: Promise<void>): AsyncGenerator<Uint8Array> {
  yield bytes("first ");
  await gate;
  yield bytes("second");
}
