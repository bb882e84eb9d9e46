/** The durable halves of CS2, CS3 and CS8, as far as the death of a process shows them. Loss of power needs a disk of its own. */

import { type CheckpointStorage, systemClock } from "@tidemark/core";
import fc from "fast-check";
import { expectEqual, expectThat, settled } from "../../oracles/expectations.js";
import { listNames, readObject } from "../../oracles/stored-objects.js";
import type { Law, LawContext } from "../../runner/law.js";
import { type Call, calls, lengthOf, nameOf, programOf } from "./calls.js";
import { bytes, expectBytes, expectNames, stream } from "./objects.js";

const CRASHES = { contract: "storage", level: "crashes", hooks: ["crash"] } as const;

export const CRASH_LAWS: readonly Law[] = [
  {
    ...CRASHES,
    id: "crash-is-real",
    clauses: [],
    claims: ["durable"],
    judgesHarness: true,
    title: "After the harness's crash the handle has no effect any more",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      await storage.put("before", bytes("x"));
      await place.crash(storage);
      // A dead process answers nothing or fails; whichever, nothing of it may appear.
      const after = settled(storage.put("after", bytes("x")));
      const next = await place.open();
      const names = await listNames(next, "");
      expectThat(
        !names.includes("after"),
        "crash did nothing: a put of the handle after its crash is there. Make crash stop the handle: release its files or connections so that its calls fail",
      );
      const result = await settledSoon(after);
      expectThat(result === undefined || "error" in result, "crash did nothing: a put after it was acknowledged");
    },
  },
  {
    ...CRASHES,
    id: "acknowledged-survives",
    clauses: ["CS2", "CS3", "CS8"],
    claims: ["durable"],
    title: "Whatever was acknowledged is as it was after the process died",
    async run(context) {
      const programs = fc.array(calls, { minLength: 1, maxLength: 20, size: "max" });
      const property = fc.asyncProperty(programs, (program) => liveAndDie(context, program));
      await context.check(property, context.runs(25), ([program]) => programOf(program, false));
    },
  },
  {
    ...CRASHES,
    id: "whole-or-absent",
    clauses: ["CS5"],
    claims: ["durable"],
    title: "A put during which the process dies leaves its object whole or absent, and the name usable",
    async run(context) {
      for (let point = 0; point < context.runs(8); point++) {
        const place = await context.place();
        const storage = await place.open();
        await storage.put("other", bytes("other"));
        const parts = Array.from({ length: 8 }, (_, index) => Buffer.alloc(20_000, index + 1));
        let given = 0;
        const dying = async function* (): AsyncGenerator<Uint8Array> {
          for (const part of parts) {
            if (given++ === point % 9) await place.crash(storage);
            yield part;
          }
        };
        await settledSoon(settled(storage.put("a/b", dying(), { ifAbsent: true })));
        await expectWholeOrAbsent(await place.open(), Buffer.concat(parts));
        context.countCase();
      }
    },
  },
];

/** How long a dead process may take to answer before it counts as silent: it is not worth a deadline. */
const SILENCE_TURNS = 200;

/** What a promise gave, or `undefined` if it says nothing for a while. */
async function settledSoon<T>(work: Promise<T>): Promise<T | undefined> {
  let isOver = false;
  const silence = (async () => {
    for (let turn = 0; turn < SILENCE_TURNS && !isOver; turn++) await systemClock.yield();
    return undefined;
  })();
  try {
    return await Promise.race([work, silence]);
  } finally {
    isOver = true;
  }
}

async function expectWholeOrAbsent(storage: CheckpointStorage, body: Buffer): Promise<void> {
  const names = await listNames(storage, "");
  expectThat(names.includes("other"), "An object that was stored before the crash is gone");
  const isThere = names.includes("a/b");
  expectEqual(names.length, isThere ? 2 : 1, "How many objects are listed after the crash");
  if (isThere) expectBytes(await readObject(storage, "a/b"), body, "The object that was put during the crash");
  const again = await storage.put("a/b", stream(body), { ifAbsent: true });
  expectEqual(again, isThere ? "exists" : "created", "The same put after the crash");
  expectBytes(await readObject(storage, "a/b"), body, "The object after its put was repeated");
}

async function liveAndDie(context: LawContext, program: readonly Call[]): Promise<void> {
  const place = await context.place();
  const model = new Map<string, Buffer>();
  let storage = await place.open();
  for (const call of program) {
    context.coverage.count(`crash: ${call.kind}`);
    if (call.kind === "put") {
      const name = nameOf(call.name);
      const body = Buffer.alloc(lengthOf(call.body), call.body + 1);
      if ((await storage.put(name, stream(body), { ifAbsent: true })) === "created") model.set(name, body);
    } else if (call.kind === "remove") {
      const names = call.names.map(nameOf);
      await storage.remove(names);
      for (const name of names) model.delete(name);
    } else if (call.kind === "reopen") {
      await place.crash(storage);
      storage = await place.open();
    }
  }
  await place.crash(storage);
  const next = await place.open();
  await expectNames(next, [...model.keys()]);
  for (const [name, body] of model) {
    expectBytes(await readObject(next, name), body, `get of ${name.slice(0, 30)} after the crash`);
  }
}
