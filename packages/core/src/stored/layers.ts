/**
 * What memory holds of a state whose rest is in a store, newest first:
 *
 *   current   written in this epoch
 *   frozen    of epochs whose changes the store does not have yet
 *   clean     the store has the same: the changes of the last epochs that it got, and what was read from it
 *   (store)
 *
 * Invariants:
 * - What a layer says of a row hides what the layers below say, and the store.
 * - Clean layers say what the store says. Only they go when memory gets short, the oldest first; what they take together is looked at
 *   when one is full.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { CleanBudget } from "./clean-budget.js";

/** What one layer has. */
export interface Layer<Content> {
  readonly cells: Map<KeyIdentity, Content>;
  /** Rows in all of its cells. */
  rows: number;
  /** Values in all of its rows, estimated for what the layer takes. */
  values: number;
}

interface FrozenLayer<Content> extends Layer<Content> {
  readonly epoch: number;
}

/** Share of the budget that one clean layer may take before the next is begun. */
const CLEAN_SHARE = 1 / 8;

export class Layers<Content> {
  #current: Layer<Content> = emptyLayer();
  /** Newest first. */
  #frozen: readonly FrozenLayer<Content>[] = [];
  /** Newest first. */
  readonly #clean: Layer<Content>[] = [];
  readonly #budget: CleanBudget;
  readonly #valueBytes: () => number;

  constructor(budget: CleanBudget, valueBytes: () => number) {
    this.#budget = budget;
    this.#valueBytes = valueBytes;
    budget.add(this);
  }

  get current(): Layer<Content> {
    return this.#current;
  }

  /** Layers whose changes the store does not have, newest first. */
  get unapplied(): readonly Layer<Content>[] {
    return [this.#current, ...this.#frozen];
  }

  /** All layers, newest first. */
  get all(): readonly Layer<Content>[] {
    return [this.#current, ...this.#frozen, ...this.#clean];
  }

  /** What the newest layer that knows a cell has of it, where that is all there is to know. */
  find(identity: KeyIdentity): Content | undefined {
    const content = this.#current.cells.get(identity);
    if (content !== undefined) return content;
    for (let age = 0; age < this.#frozen.length; age++) {
      const found = this.#frozen[age]?.cells.get(identity);
      if (found !== undefined) return found;
    }
    for (let age = 0; age < this.#clean.length; age++) {
      const found = this.#clean[age]?.cells.get(identity);
      if (found === undefined) continue;
      // What is used stays: it moves on to the layer that goes last.
      if (age > 0) this.keep(identity, found, 1);
      return found;
    }
    return undefined;
  }

  /** Takes in what the store has of a cell. */
  keep(identity: KeyIdentity, content: Content, values: number): void {
    const layer = this.cleanLayer();
    layer.cells.set(identity, content);
    this.grew(layer, values);
  }

  /** The clean layer that takes what is read. */
  cleanLayer(): Layer<Content> {
    const newest = this.#clean[0];
    const limit = this.#budget.limitBytes * CLEAN_SHARE;
    if (newest !== undefined && newest.values * this.#valueBytes() < limit) return newest;
    this.#budget.settle();
    const added = emptyLayer<Content>();
    this.#clean.unshift(added);
    return added;
  }

  /** A clean layer got values. */
  grew(layer: Layer<Content>, values: number): void {
    layer.values += values;
    if (values > 1) this.#budget.settle();
  }

  /** Bytes of the clean layers. */
  get cleanBytes(): number {
    return this.#clean.reduce((sum, { values }) => sum + values, 0) * this.#valueBytes();
  }

  /** Lets the oldest clean layer go. Whether there was one. */
  forgetOldest(): boolean {
    return this.#clean.pop() !== undefined;
  }

  /** Ends the epoch: a new layer takes the writes to come. Returns the old one. */
  freeze(epoch: number): Layer<Content> {
    const ended = this.#current;
    if (ended.rows > 0) this.#frozen = [{ ...ended, epoch }, ...this.#frozen];
    this.#current = emptyLayer();
    return ended;
  }

  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void {
    const clean = this.#frozen.filter((layer) => layer.epoch <= epoch);
    if (clean.length === 0) return;
    this.#frozen = this.#frozen.filter((layer) => layer.epoch > epoch);
    this.#clean.unshift(...clean);
    this.#budget.settle();
  }
}

function emptyLayer<Content>(): Layer<Content> {
  return { cells: new Map(), rows: 0, values: 0 };
}
