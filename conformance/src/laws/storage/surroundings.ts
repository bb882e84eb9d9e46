/** What happens around an adapter: failures below it, time, a second process where there may be only one. */

import { type CheckpointStorage, hasCode, isStateBackendError } from "@tidemark/core";
import { expectEqual, expectThat, outcomeText, type Settled, settled } from "../../oracles/expectations.js";
import { listNames, readObject } from "../../oracles/stored-objects.js";
import type { Law, LawContext, TestPlace } from "../../runner/law.js";
import { bytes, expectNames, expectObject, someBytes } from "./objects.js";

/** More operations than any call needs: a harness whose faults never end is not asked for ever. */
const OPERATIONS_MAX = 400;
const BODY = someBytes(70_000);

export const SURROUNDING_LAWS: readonly Law[] = [
  {
    id: "failures-are-honest",
    contract: "storage",
    level: "surroundings",
    clauses: ["CS5", "CS6", "CS7", "CS8"],
    hooks: ["faults"],
    title:
      "Wherever an operation below the adapter fails: the call says so with an outcome that is true, and afterwards all is well",
    async run(context) {
      for (const [what, call] of Object.entries(FAILING)) {
        let struck = 0;
        for (let nth = 0; nth < OPERATIONS_MAX && (await strikes(context, call, nth)); nth++) struck++;
        if (struck === 0 && what === "put") {
          throw new Error("faults never struck during a put: the harness's hook does nothing");
        }
        expectThat(struck < OPERATIONS_MAX, `faults still strikes at operation ${OPERATIONS_MAX} of a ${what}`);
        context.coverage.count(`faults in ${what}`);
      }
    },
  },
  {
    id: "time-changes-nothing",
    contract: "storage",
    level: "surroundings",
    clauses: ["CS2"],
    hooks: ["advance"],
    title: "Ten years later everything is there",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      await storage.put("a", bytes("x"));
      await place.advance(10 * 365 * 86_400_000);
      await expectObject(storage, "a", bytes("x"));
      await expectNames(await place.open(), ["a"]);
    },
  },
  {
    id: "exclusive-refuses-second",
    contract: "storage",
    level: "objects",
    clauses: ["CS3"],
    appliesTo: ({ shared }) => !shared,
    title: "A storage that does not declare to be shared refuses a second handle: core would fence with it",
    async run(context) {
      const place = await context.place();
      const first = await place.open();
      await first.put("a", bytes("x"));
      const second = await settled(place.open().then((handle) => handle.put("b", bytes("y"))));
      expectThat("error" in second, "A second handle works while the first is open: declare shared, or refuse it");
      await expectNames(first, ["a"]);
    },
  },
];

type FailingCall = (storage: CheckpointStorage) => Promise<unknown>;

const FAILING: Readonly<Record<string, FailingCall>> = {
  put: (storage) => storage.put("new", BODY, { ifAbsent: true }),
  get: (storage) => readObject(storage, "old"),
  list: (storage) => listNames(storage, ""),
  remove: (storage) => storage.remove(["gone"]),
};

/** Whether the fault struck at all: beyond the last operation of the call there is nothing more to see. */
async function strikes(context: LawContext, call: FailingCall, nth: number): Promise<boolean> {
  const place = await context.place();
  const storage = await place.open();
  await storage.put("old", BODY);
  await storage.put("gone", BODY);
  const end = await place.faults(nth);
  const result = await settled(call(storage));
  const hasStruck = end();
  if (!hasStruck) {
    expectThat(!("error" in result), `Nothing failed below, and the call did: ${outcomeText(result)}`);
    return false;
  }
  context.countCase();
  await judge(call, result, { storage, place });
  return true;
}

async function judge(
  call: FailingCall,
  result: Settled<unknown>,
  { storage, place }: { readonly storage: CheckpointStorage; readonly place: TestPlace },
): Promise<void> {
  const next = await place.open();
  const names = await listNames(next, "");
  expectThat(names.includes("old"), "An object that nobody removed is gone");
  if ("error" in result) {
    const { error } = result;
    expectThat(hasCode(error, "UNAVAILABLE"), `A failure below is UNAVAILABLE: ${outcomeText(result)}`);
    const outcome = isStateBackendError(error) ? error.outcome : undefined;
    const isPut = call === FAILING["put"];
    const isClear = !isPut || outcome === "not-applied" || outcome === "unknown";
    expectThat(isClear, `A put that fails says whether it was applied. outcome=${outcome}`);
    expectThat(
      !(isPut && outcome === "not-applied" && names.includes("new")),
      "A put that was surely not applied is there",
    );
  } else if (call === FAILING["get"]) {
    expectEqual(result.value, BODY, "What a get gave although an operation below it failed");
  } else if (call === FAILING["list"]) {
    expectEqual(result.value, ["gone", "old"], "What a list gave although an operation below it failed");
  }
  if (names.includes("new")) await expectObject(next, "new", BODY);
  // The fault is over: the same handle works.
  const again = await settled(call(storage));
  expectThat(!("error" in again), `The same call after the fault was over: ${outcomeText(again)}`);
  await expectNames(
    storage,
    call === FAILING["put"] ? ["gone", "new", "old"] : call === FAILING["remove"] ? ["old"] : ["gone", "old"],
  );
}
