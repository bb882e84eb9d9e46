/** CS3: at most one creates, and everyone else is told. */

import type { CheckpointStorage } from "@tidemark/core";
import { contendedObjects, contentionLines } from "../../linearizability/contended-objects.js";
import { expectEqual, expectThat } from "../../oracles/expectations.js";
import { readObject } from "../../oracles/stored-objects.js";
import type { Law, LawContext } from "../../runner/law.js";
import { bytes, expectObject, stream } from "./objects.js";

const CONTENDERS = 32;
const OBJECTS = { contract: "storage", clauses: ["CS3"] } as const;

export const CREATION_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "one-winner",
    level: "objects",
    title: "One of 32 concurrent creates wins, and the object is that one's",
    async run(context) {
      const storage = await (await context.place()).open();
      await race(context, [storage]);
    },
  },
  {
    ...OBJECTS,
    id: "one-winner-over-handles",
    level: "fencing",
    claims: ["shared"],
    title: "One of 32 concurrent creates wins, over four handles",
    async run(context) {
      const place = await context.place();
      await race(context, [await place.open(), await place.open(), await place.open(), await place.open()]);
    },
  },
  {
    ...OBJECTS,
    id: "created-again",
    level: "objects",
    title: "Create-if-absent finds what exists, leaves it alone, and creates again after a removal",
    async run(context) {
      const storage = await (await context.place()).open();
      const ifAbsent = { ifAbsent: true } as const;
      expectEqual(await storage.put("a", bytes("1"), ifAbsent), "created", "The first put");
      expectEqual(await storage.put("a", bytes("1"), ifAbsent), "exists", "The same again");
      expectEqual(await storage.put("a", bytes("2"), ifAbsent), "exists", "Other bytes");
      await expectObject(storage, "a", bytes("1"));
      await storage.remove(["a"]);
      expectEqual(await storage.put("a", bytes("2"), ifAbsent), "created", "After a removal");
      await expectObject(storage, "a", bytes("2"));
    },
  },
  {
    id: "handles-see-each-other",
    contract: "storage",
    level: "fencing",
    clauses: ["CS2", "CS7", "CS8"],
    claims: ["shared"],
    title: "What one handle has put or removed, another sees at once",
    async run(context) {
      const place = await context.place();
      const [one, other] = [await place.open(), await place.open()];
      for (let index = 0; index < context.runs(5); index++) {
        await one.put(`a/${index}`, bytes("x"));
        await expectObject(other, `a/${index}`, bytes("x"));
        expectEqual(await other.put(`a/${index}`, bytes("y"), { ifAbsent: true }), "exists", "put by the other handle");
        await other.remove([`a/${index}`]);
        expectEqual(await one.put(`a/${index}`, bytes("z"), { ifAbsent: true }), "created", "put after the removal");
        context.countCase();
      }
    },
  },
];

/** CS10: the laws above at once, and with calls that nobody is told the end of. */
export const CONTENTION_LAWS: readonly Law[] = [
  {
    id: "contended-objects",
    contract: "storage",
    level: "fencing",
    clauses: ["CS10"],
    title: "What callers on few names are told fits one order of their calls, also of those without an answer",
    run: (context) => contend(context, false),
  },
  {
    id: "contended-objects-with-faults",
    contract: "storage",
    level: "surroundings",
    clauses: ["CS10"],
    hooks: ["faults"],
    title: "What callers on few names are told fits one order of their calls, whatever fails below",
    run: (context) => contend(context, true),
  },
];

async function contend(context: LawContext, hasFaults: boolean): Promise<void> {
  const { coverage, capabilities } = context;
  const settings = { coverage, isShared: capabilities.shared, hasFaults };
  const property = contendedObjects(() => context.place(), settings);
  await context.check(property, context.runs(60), ([each]) => ({ lines: contentionLines(each) }));
}

async function race(context: LawContext, handles: readonly CheckpointStorage[]): Promise<void> {
  for (let round = 0; round < context.runs(3); round++) {
    const name = `owner/${round}`;
    const put = (index: number): Promise<string> => {
      const body = bytes(`${index}`);
      const handle = handles[index % handles.length] as CheckpointStorage;
      return handle.put(name, index % 3 === 0 ? stream(body) : body, { ifAbsent: true });
    };
    const outcomes = await Promise.all(Array.from({ length: CONTENDERS }, (_, index) => put(index)));
    const winners = outcomes.flatMap((outcome, index) => (outcome === "created" ? [`${index}`] : []));
    expectThat(winners.length === 1, `${winners.length} of ${CONTENDERS} creates won`);
    const found = (await readObject(handles[0] as CheckpointStorage, name)).toString();
    expectEqual(found, winners[0], "The object, by its winner");
    context.countCase();
  }
}
