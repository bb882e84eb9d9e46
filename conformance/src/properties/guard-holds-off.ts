/** The guard of `putWith`: whoever creates the next owner record has done so before, or finds the object. */

import { type CheckpointStorage, systemClock } from "@tidemark/core";
import fc from "fast-check";
import { Gate } from "../faults/scripted-storage.js";
import { expectEqual, expectThat, settled } from "../oracles/expectations.js";
import { listNames } from "../oracles/stored-objects.js";
import { ownerName, putWithOf, type ResultsPlace } from "./results-with-objects.js";

/** So long may another process need to create a record where nobody keeps it from that, milliseconds. */
const HELD_MS = 30;
const MANIFEST = "a/1";

/** Turns of the event loop that the new owner lets pass before it begins. */
const turns = fc.nat(4);

export function guardHoldsOff(newPlace: () => Promise<ResultsPlace>): fc.IAsyncProperty<[number, boolean]> {
  return fc.asyncProperty(turns, fc.boolean(), async (pause, isHeld) => {
    const place = await newPlace();
    const [old, next] = [await place.open(), await place.open()];
    await old.put(ownerName(1), Buffer.from("1"), { ifAbsent: true });
    const gate = new Gate();
    if (!isHeld) gate.open();
    const put = settled(
      putWithOf(old)(MANIFEST, Buffer.from("manifest"), {
        guard: { last: ownerName(1), next: ownerName(2) },
        async work(client: unknown) {
          await gate.pass();
          await place.writeResult(client, "old");
        },
      }),
    );
    if (isHeld) await Promise.race([gate.reached, put]);
    for (let turn = 0; turn < pause; turn++) await systemClock.yield();
    const taken = takeOver(next);
    await Promise.race([taken, elapsed(HELD_MS)]);
    gate.open();
    const [result, seen] = await Promise.all([put, taken]);
    const isCreated = !("error" in result) && result.value === "created";
    const isRefused = !("error" in result) && result.value === "refused";
    expectThat(isCreated || isRefused, "A guarded putWith has neither created its object nor was it refused");
    expectThat(
      seen.includes(MANIFEST) === isCreated,
      isCreated
        ? "Who created the next owner record did not see an object that was created under its guard"
        : "Who created the next owner record saw the object of a call that was refused",
    );
    expectEqual(await place.readResults(), isCreated ? ["old"] : [], "Results");
  });
}

/** Creates the next record, and looks what there is, as who takes a job over. */
async function takeOver(storage: CheckpointStorage): Promise<readonly string[]> {
  expectEqual(
    await storage.put(ownerName(2), Buffer.from("2"), { ifAbsent: true }),
    "created",
    "The next owner record",
  );
  return listNames(storage, "a/");
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.schedule(ms, resolve, true));
}
