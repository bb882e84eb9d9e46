/** CS7 and CS8: listings and removals. */

import { expectEqual } from "../../oracles/expectations.js";
import type { Law } from "../../runner/law.js";
import { bytes, expectAbsent, expectNames, expectObject } from "./objects.js";

const OBJECTS = { contract: "storage", level: "objects" } as const;
const NAMES = ["a/b/c", "a/b/d", "a/bb/c", "a/e", "a./b", "a-/b", "a0/b", "ab/c", "b"];

export const LISTING_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "lists-below-prefix",
    clauses: ["CS7"],
    title: "A listing gives the objects below the prefix with their lengths, and nothing else",
    async run(context) {
      const storage = await (await context.place()).open();
      await expectNames(storage, []);
      await expectNames(storage, [], "a/b/");
      for (const name of NAMES) await storage.put(name, bytes(name));
      for (const prefix of ["", "a/", "a/b/", "a./", "a0/", "ab/", "b/", "none/", "a/b/c/"]) {
        await expectNames(
          storage,
          NAMES.filter((name) => name.startsWith(prefix)),
          prefix,
        );
        context.countCase();
      }
      for await (const { name, bytes: length } of storage.list("")) {
        expectEqual(length, name.length, `The length of ${JSON.stringify(name)}`);
      }
    },
  },
  {
    ...OBJECTS,
    id: "lists-many",
    clauses: ["CS7"],
    title: "A listing gives every one of many objects, at any size of page",
    async run(context) {
      const storage = await (await context.place()).open();
      const names: string[] = [];
      for (const size of [64, 100, 128, 256].slice(0, 1 + context.runs(1))) {
        const more = Array.from({ length: size + 1 - names.length }, (_, index) => `a/${names.length + index}`);
        await Promise.all(more.map((name) => storage.put(name, bytes(name))));
        names.push(...more);
        await expectNames(storage, names, "a/");
        context.countCase();
      }
    },
  },
  {
    ...OBJECTS,
    id: "lists-while-changing",
    clauses: ["CS7"],
    title: "A listing that runs while others put and remove gives what was there all the time",
    async run(context) {
      const storage = await (await context.place()).open();
      const staying = Array.from({ length: 40 }, (_, index) => `a/${index}/stays`);
      for (const name of staying) await storage.put(name, bytes(name));
      const found: string[] = [];
      let count = 0;
      for await (const { name } of storage.list("a/")) {
        found.push(name);
        if (++count > 200) throw new Error("The listing does not end while objects are added");
        await storage.put(`a/${count}/added`, bytes("x"));
        if (count % 2 === 0) await storage.remove([`a/${count - 1}/added`]);
      }
      const missing = staying.filter((name) => !found.includes(name));
      expectEqual(missing, [], "Objects that were there all the time, and were not listed");
      expectEqual(new Set(found).size, found.length, "How many different objects were listed");
    },
  },
  {
    ...OBJECTS,
    id: "removes-named",
    clauses: ["CS8"],
    title: "A removal takes away what is named, passes over what is absent, and nothing else",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      await storage.remove(["a/b"]);
      await storage.remove([]);
      for (const name of ["a/b", "a/c", "a/cc", "d"]) await storage.put(name, bytes(name));
      await storage.remove(["a/b", "a/none", "none/none", "d", "a/b"]);
      await expectNames(storage, ["a/c", "a/cc"]);
      await expectAbsent(storage, "a/b");
      await expectObject(storage, "a/c", bytes("a/c"));
      await storage.close();
      await expectNames(await place.open(), ["a/c", "a/cc"]);
    },
  },
  {
    ...OBJECTS,
    id: "removes-many",
    clauses: ["CS8"],
    title: "A removal of many objects removes all of them",
    async run(context) {
      const storage = await (await context.place()).open();
      const names = Array.from({ length: 130 }, (_, index) => `a/${index}`);
      await Promise.all(names.map((name) => storage.put(name, bytes(name))));
      await storage.put("b", bytes("b"));
      await storage.remove(names);
      await expectNames(storage, ["b"]);
    },
  },
];
