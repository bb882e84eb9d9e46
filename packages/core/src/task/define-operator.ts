/** Declares an operator: its key, its states, and into how many key groups it divides. */

import type { KeyCodec } from "../contracts/codec.js";
import { checkMaxParallelism } from "../key/key-groups.js";
import type { StateDescriptor } from "../state/descriptors.js";

/** Names to descriptors. */
export type StateDescriptors = Readonly<Record<string, StateDescriptor>>;

/** Whether an operator has timers; with `namespace`, they have namespaces of that codec. */
export type TimersDeclaration = true | { readonly namespace: KeyCodec<unknown> };

export interface OperatorOptions<
  Key,
  States extends StateDescriptors,
  Timers extends TimersDeclaration | undefined = undefined,
> {
  /** Codec of the record keys. */
  readonly key: KeyCodec<Key>;
  readonly states: States;
  /**
   * Number of key groups: the most tasks that the operator can run as. Its state keeps it; `rekeySavepoint` rewrites a savepoint for another.
   * @defaultValue 128
   */
  readonly maxParallelism?: number;
  /**
   * `true` for timers per key, `{ namespace: codec }` for timers per key and namespace.
   * @defaultValue no timers
   */
  readonly timers?: Timers;
}

/** A declared operator. Immutable. */
export interface Operator<
  Key,
  States extends StateDescriptors,
  Timers extends TimersDeclaration | undefined = TimersDeclaration | undefined,
> {
  readonly name: string;
  readonly key: KeyCodec<Key>;
  readonly states: States;
  readonly maxParallelism: number;
  readonly timers: Timers;
}

const DEFAULTS = Object.freeze({ maxParallelism: 128 });
/** State ids are two bytes. */
const STATES_MAX = 0xffff;

/**
 * Declares an operator. `name` and the names of states may be any text; they identify state across restarts.
 * @throws {TypeError} if a part is missing
 * @throws {RangeError} if `maxParallelism` is not an integer from 1 to 32,768
 */
export function defineOperator<
  Key,
  const States extends StateDescriptors,
  Timers extends TimersDeclaration | undefined = undefined,
>(name: string, options: OperatorOptions<Key, States, Timers>): Operator<Key, States, Timers> {
  if (typeof name !== "string") throw new TypeError(`An operator needs a name. received=${typeof name}.`);
  const { key, states, maxParallelism = DEFAULTS.maxParallelism } = options;
  if (typeof key?.encode !== "function") {
    throw new TypeError(
      `An operator needs a key codec. operator=${JSON.stringify(name)}. Pass for example key: string().`,
    );
  }
  // Without the option, `Timers` is `undefined`.
  const timers = options.timers as Timers;
  if (timers !== undefined && timers !== true && typeof timers.namespace?.encode !== "function") {
    throw new TypeError("Timers are declared with true, or with { namespace } and a key codec.");
  }
  checkMaxParallelism(maxParallelism);
  const declared = Object.entries(states ?? {});
  if (declared.length > STATES_MAX) {
    throw new RangeError(`Too many states. received=${declared.length} limit=${STATES_MAX}.`);
  }
  for (const [state, descriptor] of declared) {
    if (typeof descriptor?.kind !== "string") {
      throw new TypeError(
        `A state needs a descriptor. state=${JSON.stringify(state)}. Pass for example value<number>().`,
      );
    }
  }
  return Object.freeze({ name, key, states: Object.freeze({ ...states }), maxParallelism, timers });
}

/** An operator whose types do not matter where it is used. */
export type AnyOperator = Operator<never, StateDescriptors>;
