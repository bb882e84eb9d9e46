/** List state whose rest is in a store. */

import type { Codec } from "../contracts/codec.js";
import { after } from "../stored/maybe-promise.js";
import type { ListState } from "./handles.js";
import { handedOutList } from "./list-handle.js";
import { type Scope, storedKeysIn } from "./scope.js";
import type { StoredListRows } from "./stored-list-rows.js";

export class StoredListHandle<Key, Element> implements ListState<Key, Element> {
  readonly #rows: StoredListRows;
  readonly #scope: Scope;
  readonly #codec: Codec<Element>;

  constructor(rows: StoredListRows, scope: Scope, codec: Codec<Element>) {
    this.#rows = rows;
    this.#scope = scope;
    this.#codec = codec;
  }

  async get(key: Key): Promise<readonly Element[]> {
    this.#scope.epoch.check();
    return after(this.#rows.find(key, this.#scope.namespace), (stored) => {
      const elements = stored as readonly Element[];
      return this.#codec.handOut === undefined ? elements : handedOutList(this.#codec, elements);
    });
  }

  add(key: Key, element: Element): void {
    this.addAll(key, [element]);
  }

  addAll(key: Key, elements: Iterable<Element>): void {
    this.#scope.epoch.check();
    this.#rows.append(key, this.#scope.namespace, this.#owned(elements));
  }

  set(key: Key, elements: Iterable<Element>): void {
    this.#scope.epoch.check();
    this.#rows.replace(key, this.#scope.namespace, this.#owned(elements));
  }

  delete(key: Key): void {
    this.#scope.epoch.check();
    this.#rows.replace(key, this.#scope.namespace, []);
  }

  keys(): AsyncIterable<Key> {
    return storedKeysIn(this.#scope, () => this.#rows.identities());
  }

  #owned(elements: Iterable<Element>): Element[] {
    return Array.from(elements, (element) => this.#codec.own(element));
  }
}
