/** What every table is made of. */

import type { Codec, KeyIdentity } from "../contracts/codec.js";
import { StateBackendError } from "../errors.js";
import { keyGroupOf, type KeyGroups } from "../key/key-groups.js";
import type { Address } from "./address.js";
import type { Epoch } from "./epoch.js";

export interface TableOptions {
  readonly stateId: number;
  readonly address: Address;
  readonly codec: Codec<unknown>;
  readonly groups: KeyGroups;
  readonly maxParallelism: number;
  readonly epoch: Epoch;
  /** Flags of entries that have a value. */
  readonly valueFlags?: number;
}

/** The key group of a cell. */
export function groupOf({ address, maxParallelism }: TableOptions, identity: KeyIdentity): number {
  return keyGroupOf(address.hash(identity), maxParallelism);
}

/**
 * The key group of `key`.
 * @throws {StateBackendError} KEY_NOT_OWNED if the task does not own it; VALUE_INVALID if it is no key of the state
 */
export function ownedGroupOf(options: TableOptions, key: unknown): number {
  const group = keyGroupOf(options.address.key.hash(key), options.maxParallelism);
  checkOwned(options, group);
  return group;
}

/** @throws {StateBackendError} KEY_NOT_OWNED if the task does not own `group` */
export function checkOwned({ groups }: TableOptions, group: number): void {
  if (groups.has(group)) return;
  throw new StateBackendError(
    "KEY_NOT_OWNED",
    `The key belongs to a key group that this task does not own. group=${group} owned=${JSON.stringify(groups)}. Send the record to the task that owns the group, or open the task with it.`,
  );
}
