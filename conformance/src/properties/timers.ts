/**
 * (n) A timer fires once, in the order of time, key and namespace, when its time has come and not before: over checkpoints, restores
 * and other numbers of tasks, and wherever a barrier meets a firing.
 */

import fc from "fast-check";
import { observations } from "../commands/check-commands.js";
import { quietCheckpoints, takeCheckpoint } from "../commands/checkpoint-commands.js";
import type { Coverage } from "../commands/coverage.js";
import { quietReopens } from "../commands/quiet-reopens.js";
import { latestSource, reopenAs } from "../commands/reopen-commands.js";
import { stateCommands } from "../commands/state-commands.js";
import { advanceWatermark, clockMoves, timerCalls, watermarks } from "../commands/time-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import { CATALOG, EXPIRING_TIMER_LOG, TIMER_LOG } from "../model/catalog.js";
import { FIRST_SHAPE } from "../model/job-model.js";
import { settled } from "../oracles/expectations.js";
import { historiesOf } from "./run-commands.js";

/** What the handler of timers writes to, and one that says what time it is. */
const LOGS = CATALOG.filter(({ name }) => name === TIMER_LOG || name === EXPIRING_TIMER_LOG || name === "valueOf");

export function timersFireOnce(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return historiesOf(
    [
      [6, timerCalls],
      [4, watermarks],
      [3, clockMoves],
      [1, stateCommands],
      [2, quietCheckpoints],
      [2, quietReopens()],
      [1, observations],
    ],
    { harness, coverage, maxCommands: 60, specs: LOGS },
  );
}

/** A checkpoint that begins while timers fire: after a restore exactly those fire whose effects it does not have. */
export function firingMeetsBarrier(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  const calls = fc.array(timerCalls, { minLength: 1, maxLength: 8 });
  return fc.asyncProperty(calls, fc.nat(20), async (given, turns) => {
    const { model, real } = await World.start(harness, coverage);
    const shape = { ...FIRST_SHAPE, declared: [LOGS, LOGS], parallelism: [1, 1] };
    await reopenAs(shape, model, real);
    for (const each of given) await each.run(model, real);
    const before = await takeCheckpoint(model, real).then(() => model.base);
    const [operator, task, watermark] = [0, 0, 15];
    const firing = settled(advanceWatermark({ operator, task, watermark }, model, real));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const { id } = await real.running.control.checkpoint();
    const fired = await firing;
    if ("error" in fired) throw fired.error;
    await real.expectSame(model, "after the firing");
    const all = structuredClone(model.contents);
    await real.running.control.close();
    real.newStorage(model);
    await real.open(model, shape, latestSource().restore);
    await real.running.operators[operator]?.[task]?.advanceWatermark(watermark);
    model.restore({ id, contents: all, parent: before }, shape);
    await real.expectSame(model, `when the rest has fired after a restore of ${id}`);
  });
}
