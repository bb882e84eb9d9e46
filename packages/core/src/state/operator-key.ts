/** The one key of state that belongs to no key: it takes no bytes, and its key group is its own. */

import type { KeyCodec } from "../contracts/codec.js";
import { EMPTY_KEY } from "../key/binary-key.js";
import { KeyGroups, OPERATOR_GROUP } from "../key/key-groups.js";

export const operatorKey: KeyCodec<undefined> = Object.freeze({
  id: "operator",
  version: 1,
  encode: () => EMPTY_KEY,
  decode: (_source, offset) => ({ key: undefined, end: offset }),
  identity: () => 0,
  hash: () => OPERATOR_GROUP,
  fromIdentity: () => undefined,
} satisfies KeyCodec<undefined>);

/** The key groups of operator state, and a parallelism under which the hash above is its own group. */
export const OPERATOR_SCOPE = Object.freeze({
  groups: KeyGroups.of([{ first: OPERATOR_GROUP, last: OPERATOR_GROUP }]),
  maxParallelism: OPERATOR_GROUP + 1,
});
