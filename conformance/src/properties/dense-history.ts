/** Thousands of calls of state between few checkpoints: what only shows when much has happened. */

import fc from "fast-check";
import { takeCheckpoint } from "../commands/checkpoint-commands.js";
import { drawOperation } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import { seededRandom } from "../faults/seeded-random.js";
import type { Harness } from "../harness.js";

/** Calls until the job is opened again; a checkpoint comes in the middle too. */
const CALLS_PER_LIFE = 3000;
const LIVES = 2;

/** Calls are drawn while they run: of so many, no smaller program is looked for. */
export function denseHistory(harness: Harness, coverage: Coverage): fc.IAsyncProperty<[number]> {
  return fc.asyncProperty(fc.noBias(fc.nat()), async (seed) => {
    const { model, real } = await World.start(harness, coverage);
    const random = seededRandom(seed);
    for (let index = 0; index < LIVES * CALLS_PER_LIFE; index++) {
      coverage.commands++;
      const underWay = runOperation(drawOperation(random), model, real);
      if (underWay !== undefined) await underWay;
      if (index % CALLS_PER_LIFE === CALLS_PER_LIFE / 2) await takeCheckpoint(model, real);
      if ((index + 1) % CALLS_PER_LIFE !== 0) continue;
      await takeCheckpoint(model, real);
      await reopenAs(model.shape, model, real);
    }
    await real.running.control.close();
  });
}
