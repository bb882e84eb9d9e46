/** Nothing but the place changes: no other place, no object of others in it, nothing of the process. */

import type { CheckpointStorage } from "@tidemark/core";
import { expectThat } from "../../oracles/expectations.js";
import { changedFact, factsBefore } from "../../oracles/process-facts.js";
import { live } from "../../properties/scenario.js";
import { lazyStorage } from "../../runner/lazy-storage.js";
import type { Law } from "../../runner/law.js";
import { bytes, expectNames, expectObject } from "./objects.js";

/** Names that a job could have, and others that begin as they do. */
const CANARIES = ["n-canary/owner/1", "n-flights2/segment/1", "n-flight/checkpoint/1", "a/b", "z"] as const;

export const CONTAINMENT_LAWS: readonly Law[] = [
  {
    id: "contained",
    contract: "storage",
    level: "objects",
    clauses: ["CS11"],
    title: "No other place, no object of others and nothing of the process is changed",
    async run(context) {
      const before = factsBefore();
      const [place, other] = [await context.place(), await context.place()];
      const untouched = await other.open();
      await putCanaries(untouched, "other");
      const storage = await place.open();
      await expectNames(storage, []);
      await putCanaries(storage, "same");
      await putAndRemove(storage);
      await storage.close();
      const inPlace = { open: () => lazyStorage(place.open()) };
      await live({ ...context.jobs, place: () => inPlace }, { learned: () => undefined });
      await expectCanaries(await place.open(), "same");
      await expectCanaries(untouched, "other");
      await expectNames(untouched, CANARIES);
      const changed = changedFact(before);
      expectThat(changed === undefined, `By calls of the adapter ${changed} is another, for all code of the process`);
      context.countCase();
    },
  },
];

function bodyOf(name: string, where: string): Uint8Array {
  return bytes(`${name} in the ${where} place`);
}

async function putCanaries(storage: CheckpointStorage, where: string): Promise<void> {
  for (const name of CANARIES) await storage.put(name, bodyOf(name, where));
}

async function expectCanaries(storage: CheckpointStorage, where: string): Promise<void> {
  for (const name of CANARIES) await expectObject(storage, name, bodyOf(name, where));
}

/** As a job of the name `flights` does with what is garbage. */
async function putAndRemove(storage: CheckpointStorage): Promise<void> {
  const names = Array.from({ length: 20 }, (_, index) => `n-flights/segment/${index}`);
  for (const name of names) await storage.put(name, bytes("x"));
  await storage.remove(names);
}
