/** (r) A listener is told what has become of each checkpoint, in order, once, and not before it is so. */

import fc from "fast-check";
import { TIMEOUT_MS } from "../commands/open-running.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { World } from "../commands/world.js";
import { Gate } from "../faults/scripted-storage.js";
import type { Harness } from "../harness.js";
import { FIRST_SHAPE } from "../model/job-model.js";
import { expectCode, expectEqual } from "../oracles/expectations.js";

/** How a checkpoint goes: as it should, held up at its manifest, refused by the storage, out of time; or it is a savepoint. */
type Turn = "completes" | "waits" | "fails" | "times out" | "is a savepoint";

const turns: fc.Arbitrary<readonly Turn[]> = fc.array(
  fc.constantFrom<Turn>("completes", "completes", "waits", "fails", "times out", "is a savepoint"),
  { maxLength: 12, size: "max" },
);

export function listenerIsTold(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return fc.asyncProperty(turns, fc.integer({ min: 1, max: 3 }), async (given, retain) => {
    const { model, real } = await World.start(harness, coverage);
    await reopenAs({ ...FIRST_SHAPE, retain, declared: [[], []] }, model, real);
    const told: string[] = [];
    let retained: readonly number[] = [];
    for (const turn of given) {
      real.coverage.count(`a checkpoint ${turn}`);
      await TURNS[turn](real, told);
      const { id, status, kind, endedAt } = real.running.control.checkpoints.at(-1) ?? { id: 0 };
      if (kind !== "savepoint") told.push(`${status === "completed" ? "completed" : "aborted"} ${id}`);
      if (kind !== "savepoint" && status === "completed") {
        const all = [...retained, id];
        retained = all.slice(-retain);
        const subsumed = all.slice(0, -retain);
        if (subsumed.length > 0) told.push(`subsumed ${subsumed.join()}`);
        expectEqual(real.running.control.lastCompleted?.endedAt, endedAt, "When the last one was completed");
      }
      expectEqual(real.running.heard, told, "What the listener was told");
      expectEqual(real.running.control.lastCompleted?.id, retained.at(-1), "The last that was completed");
    }
  });
}

const TURNS: Record<Turn, (real: World, told: readonly string[]) => Promise<void>> = {
  async completes(real) {
    await real.running.control.checkpoint();
  },
  async waits(real, told) {
    const gate = new Gate();
    real.storage.addRule({ call: "put", kind: "manifest", when: "before", effect: { kind: "gate", gate } });
    const work = real.running.control.checkpoint();
    await gate.reached;
    expectEqual(real.running.heard, told, "What the listener was told before the checkpoint was there");
    gate.open();
    await work;
  },
  async fails(real) {
    real.storage.addRule({
      call: "put",
      kind: "manifest",
      when: "before",
      effect: { kind: "error", outcome: "not-applied" },
    });
    await expectCode(() => real.running.control.checkpoint(), ["UNAVAILABLE"], "A checkpoint that is not stored");
    real.storage.heal();
  },
  async "times out"(real) {
    const gate = new Gate();
    real.storage.addRule({ call: "put", kind: "segment", when: "before", effect: { kind: "gate", gate } });
    const work = expectCode(() => real.running.control.checkpoint({ full: true }), ["ABORTED"], "Out of time");
    await gate.reached;
    real.clock.advance(TIMEOUT_MS);
    await work;
    real.storage.heal();
  },
  async "is a savepoint"(real) {
    await real.running.control.savepoint(real.harness.place().open());
  },
};
