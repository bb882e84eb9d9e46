/** List state over its table. */

import type { Codec } from "../contracts/codec.js";
import type { OperatorListState, SyncListState } from "./handles.js";
import type { ListRows } from "./rows.js";
import { asynchronously, handedOut, keysIn, type Scope } from "./scope.js";

export class ListHandle<Key, Element> implements SyncListState<Key, Element> {
  readonly #table: ListRows;
  readonly #scope: Scope;
  readonly #codec: Codec<Element>;

  constructor(table: ListRows, scope: Scope, codec: Codec<Element>) {
    this.#table = table;
    this.#scope = scope;
    this.#codec = codec;
  }

  getSync(key: Key): readonly Element[] {
    this.#scope.epoch.check();
    const stored = this.#table.get(key, this.#scope.namespace) as readonly Element[];
    return this.#codec.handOut === undefined ? stored : handedOutList(this.#codec, stored);
  }

  async get(key: Key): Promise<readonly Element[]> {
    return this.getSync(key);
  }

  add(key: Key, element: Element): void {
    this.addAll(key, [element]);
  }

  addAll(key: Key, elements: Iterable<Element>): void {
    this.#scope.epoch.check();
    const owned = Array.from(elements, (element) => this.#codec.own(element));
    this.#table.append(key, this.#scope.namespace, owned);
  }

  set(key: Key, elements: Iterable<Element>): void {
    this.#scope.epoch.check();
    const { namespace } = this.#scope;
    this.#table.replace(key, namespace, this.#own(elements, this.#table.peek(key, namespace) as readonly Element[]));
  }

  delete(key: Key): void {
    this.#scope.epoch.check();
    this.#table.replace(key, this.#scope.namespace, []);
  }

  keysSync(): Iterable<Key> {
    return keysIn(this.#scope, this.#table.identities());
  }

  keys(): AsyncIterable<Key> {
    return asynchronously(() => this.keysSync());
  }

  /** Elements that the list already has are owned already. They mostly come back in the same order, with some left out. */
  #own(elements: Iterable<Element>, current: readonly Element[]): Element[] {
    let at = 0;
    return Array.from(elements, (element) => {
      const known = current.indexOf(element, at);
      if (known < 0 || known - at > current.length / 2 + 1) return this.#codec.own(element);
      at = known + 1;
      return element;
    });
  }
}

/** The stored list itself, unless an element has to be copied. */
export function handedOutList<Element>(codec: Codec<Element>, stored: readonly Element[]): readonly Element[] {
  let copy: Element[] | undefined;
  for (let i = 0; i < stored.length; i++) {
    const element = stored[i] as Element;
    const handed = handedOut(codec, element);
    if (handed === element) continue;
    copy ??= [...stored];
    copy[i] = handed;
  }
  return copy === undefined ? stored : Object.freeze(copy);
}

/** The only key of a list that belongs to the task. */
export class OperatorListHandle<Element> implements OperatorListState<Element> {
  readonly #list: ListHandle<undefined, Element>;

  constructor(list: ListHandle<undefined, Element>) {
    this.#list = list;
  }

  get(): readonly Element[] {
    return this.#list.getSync(undefined);
  }

  add(element: Element): void {
    this.#list.add(undefined, element);
  }

  set(elements: Iterable<Element>): void {
    this.#list.set(undefined, elements);
  }
}
