/** Records that come when a test asks for them. */

import { Gate } from "./gate.js";

/** Up to four records, `r0` and so on. */
export function askedRecords() {
  const gates = [new Gate(), new Gate(), new Gate(), new Gate()];
  async function* records() {
    for (const [i, gate] of gates.entries()) {
      await gate.opened;
      yield `r${i}`;
    }
  }
  return { records: records(), send: (i: number) => gates[i]?.open() };
}
