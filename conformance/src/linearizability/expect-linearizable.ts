/** Fails with what a person needs to see that no order explains a history. */

import { linesOf, type Operation } from "./history.js";
import { linearize, type Specification } from "./linearize.js";

/** @throws {Error} with the history, if it is not linearizable */
export function expectLinearizable<State, Call>(
  what: string,
  operations: readonly Operation<Call>[],
  specification: Specification<State, Call>,
): void {
  const verdict = linearize(operations, specification);
  if (verdict.isLinearizable) return;
  const stuck = verdict.stuckAt.map((index) => operations[index]?.text).join("; or ");
  throw new Error(
    `No order of the calls explains ${what}: where it gets farthest, next would be ${stuck}.\n${linesOf(operations).join("\n")}`,
  );
}
