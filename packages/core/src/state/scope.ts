/** Where in a table a handle reads and writes: in one namespace, while its task takes calls. */

import type { Codec, KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Address } from "../table/address.js";
import type { Epoch } from "../table/epoch.js";
import { Flattened } from "../stored/flattened.js";
import type { KeyLocks } from "./key-locks.js";

export interface Scope {
  readonly epoch: Epoch;
  readonly address: Address;
  /** Encoded; empty for states without namespaces. */
  readonly namespace: BinaryKey;
  /** Of the whole state: handles of one state come and go, its updates wait for each other. */
  readonly locks: KeyLocks;
}

/** The keys of one namespace, from the cells of a table. */
export function* keysIn<Key>(
  scope: Scope,
  identities: Iterable<readonly KeyIdentity[]>,
): Generator<Key, void, undefined> {
  const { address, namespace } = scope;
  scope.epoch.check();
  for (const group of identities) {
    for (const identity of group) {
      if (address.namespaceOf(identity) === namespace) yield address.keyOf(identity) as Key;
    }
  }
}

/** As `keysIn`, where the keys have to be waited for. Looks at the state when it is asked for the first. */
export function storedKeysIn<Key>(
  scope: Scope,
  identities: () => AsyncIterable<readonly KeyIdentity[]>,
): AsyncIterableIterator<Key> {
  const { address, namespace } = scope;
  return new Flattened(async function* () {
    scope.epoch.check();
    for await (const chunk of identities()) {
      const here =
        address.namespace === undefined
          ? chunk
          : chunk.filter((identity) => address.namespaceOf(identity) === namespace);
      yield here.map((identity) => address.keyOf(identity) as Key);
    }
  });
}

/** What a reader gets of a stored value. */
export function handedOut<Value>(codec: Codec<Value>, stored: Value): Value {
  return codec.handOut === undefined ? stored : codec.handOut(stored);
}

/** `items` without waiting for anything, for the asynchronous form of an enumeration. */
export async function* asynchronously<T>(items: () => Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items();
}
