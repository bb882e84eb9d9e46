/**
 * What was written to a value table in one epoch: keys and values in the order of the writes. A barrier hands the two lists over.
 *
 * Invariants:
 * - A key may be listed more than once: the last one counts.
 * - `undefined` stands for a deletion.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import { FLAG_DELETE, FLAG_EXPIRES } from "../segment/entry-block.js";
import type { FrozenRows } from "./frozen-rows.js";
import { groupOf, type TableOptions } from "./table-options.js";

/** Lists of one length. */
export interface WrittenValues {
  readonly identities: readonly KeyIdentity[];
  readonly values: readonly unknown[];
  /** When the values expire; entries begin with it. */
  readonly expiries: readonly number[] | undefined;
}

export function frozenValues(options: TableOptions, { identities, values, expiries }: WrittenValues): FrozenRows {
  const { address, codec } = options;
  const valueFlags = expiries === undefined ? 0 : FLAG_EXPIRES;
  const identityAt = (at: number): KeyIdentity => identities[at] as KeyIdentity;
  return {
    stateId: options.stateId,
    count: identities.length,
    groupAt: (at) => groupOf(options, identityAt(at)),
    isDroppedAt: () => false,
    sortKeyAt: (at) => address.sortKey(identityAt(at)),
    appendAt(at, block) {
      const value = values[at];
      const out = block.append(address.encode(identityAt(at)), value === undefined ? FLAG_DELETE : valueFlags);
      if (value === undefined) return;
      if (expiries !== undefined) out.float64(expiries[at] as number);
      codec.write(value, out);
    },
    completedAt() {},
  };
}
