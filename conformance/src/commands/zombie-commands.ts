/** Calls of jobs that were closed or left behind: refused, and seen by nobody. */

import { hasCode } from "@tidemark/core";
import fc from "fast-check";
import { pick } from "../model/domains.js";
import { resolveOperation } from "../model/operation.js";
import { expectEqual, expectThat, outcomeText, settled } from "../oracles/expectations.js";
import { callState } from "./call-state.js";
import { type Command, command, operationChoices } from "./command.js";
import type { Zombie } from "./world.js";

/** Writes to a zombie, then lets it take a checkpoint: it must be told, and its owner must not notice. */
export const zombieCalls: fc.Arbitrary<Command> = fc
  .tuple(fc.nat(99), fc.array(operationChoices, { maxLength: 3 }), fc.boolean())
  .map(([index, choices, full]) =>
    command(`zombie ${index} writes ${choices.length} times and takes a checkpoint`, async (model, real) => {
      if (real.zombies.length === 0) return;
      const zombie = pick(real.zombies, index);
      real.coverage.count(zombie.isClosed ? "closed zombie" : "fenced zombie");
      const retained = [...real.running.control.retained];
      for (const choice of choices) {
        const operation = resolveOperation(choice, model.shape.declared);
        const isHere = operation !== undefined && hasState(zombie, operation.operator, operation.spec.name);
        if (isHere) expectRefusal(zombie, await settled(callState(zombie.running, operation)), true);
      }
      expectRefusal(zombie, await settled(zombie.running.control.checkpoint({ full })), false);
      expectRefusal(zombie, await settled(zombie.running.control.checkpoint()), false);
      expectEqual(real.running.control.retained, retained, "Retained after the checkpoint of a zombie");
      if (model.health === "running") await real.expectSame(model, "after the checkpoint of a zombie");
    }),
  );

/** A zombie does not know at once: until its first checkpoint it may write to itself. */
function expectRefusal(zombie: Zombie, result: Awaited<ReturnType<typeof settled>>, mayWork: boolean): void {
  if (mayWork && !zombie.isClosed && !("error" in result)) return;
  const codes = zombie.isClosed ? (["CLOSED"] as const) : (["FENCED", "POISONED"] as const);
  const isRefused = codes.some((code) => hasCode(result.error, code));
  expectThat(isRefused, `A zombie was not refused: ${outcomeText(result)}`);
}

function hasState({ running }: Zombie, operator: number, name: string): boolean {
  return running.operators[operator]?.every(({ states }) => Object.hasOwn(states, name)) ?? false;
}
