/** CS1: which names and prefixes there are. */

import { expectThat } from "../../oracles/expectations.js";
import { readObject, listNames } from "../../oracles/stored-objects.js";
import type { Law } from "../../runner/law.js";
import { bytes, expectAbsent, expectNames, expectObject, expectRefused } from "./objects.js";

const BAD_NAMES = ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "A", "a b", "ä", "a\0", "~tmp/a", "a\\b", "a\n"];
const TOO_LONG = ["x".repeat(121), `${"x/".repeat(512)}x`];
const GOOD_NAMES = ["a", "0", "...", "-", "_", "a.b-c_d", "con", "0/1/2/3/4/5/6/7/8/9"];
const LONGEST = `${`${"x".repeat(99)}/`.repeat(10)}${"y".repeat(24)}`;

const OBJECTS = { contract: "storage", level: "objects", clauses: ["CS1"] } as const;

export const NAME_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "bad-names",
    title: "A name that is not made as the contract says is a RangeError everywhere, and does nothing",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      await storage.put("good", bytes("x"));
      for (const name of [...BAD_NAMES, ...TOO_LONG]) {
        const shown = JSON.stringify(name.slice(0, 20));
        await expectRefused(() => storage.put(name, bytes("x")), RangeError, `put(${shown})`);
        await expectRefused(
          () => storage.put(name, bytes("x"), { ifAbsent: true }),
          RangeError,
          `put(${shown}, ifAbsent)`,
        );
        await expectRefused(() => readObject(storage, name), RangeError, `get(${shown})`);
        await expectRefused(() => storage.remove(["good", name]), RangeError, `remove(["good", ${shown}])`);
        context.countCase();
      }
      await expectNames(storage, ["good"]);
    },
  },
  {
    ...OBJECTS,
    id: "good-names",
    title: "Every name of the contract is kept as it is, up to the longest",
    async run(context) {
      for (const name of [...GOOD_NAMES, `${"x".repeat(120)}/${"y".repeat(120)}`, LONGEST]) {
        const storage = await (await context.place()).open();
        await storage.put(name, bytes(name));
        await expectNames(storage, [name]);
        await expectObject(storage, name, bytes(name));
        context.countCase();
      }
    },
  },
  {
    ...OBJECTS,
    id: "bad-prefixes",
    title: "A prefix that is not whole parts ending in '/' is a RangeError",
    async run(context) {
      const storage = await (await context.place()).open();
      await storage.put("a/b", bytes("x"));
      for (const prefix of ["a", "/", "a//", "../", "A/", "~tmp/", "a/b"]) {
        await expectRefused(() => listNames(storage, prefix), RangeError, `list(${JSON.stringify(prefix)})`);
        context.countCase();
      }
    },
  },
  {
    ...OBJECTS,
    id: "no-continued-names",
    title: "A name that continues an object's, or is continued by one, is refused",
    async run(context) {
      const storage = await (await context.place()).open();
      await storage.put("a/b", bytes("x"));
      await expectRefused(() => storage.put("a/b/c", bytes("y")), RangeError, 'put("a/b/c") beside "a/b"');
      await expectRefused(() => storage.put("a", bytes("y")), RangeError, 'put("a") beside "a/b"');
      await expectRefused(() => storage.put("a", bytes("y"), { ifAbsent: true }), RangeError, 'put("a", ifAbsent)');
      await expectAbsent(storage, "a");
      await expectAbsent(storage, "a/b/c");
      await storage.remove(["a", "a/b/c"]);
      await expectNames(storage, [], "a/b/");
      await expectNames(storage, ["a/b"]);
      expectThat((await storage.put("a.b", bytes("y"))) === "created", '"a.b" continues nothing');
    },
  },
];
