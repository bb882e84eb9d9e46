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
 * - Clean layers say what the store says. Only of them anything goes when memory gets short: what came into the oldest first.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { MemoryBudget, MemoryUser } from "./memory-budget.js";

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

export interface LayersOptions<Content> {
  readonly budget: MemoryBudget;
  /** Estimated bytes of a value. */
  valueBytes(): number;
  /** How many values a cell of a layer has. */
  valuesOf(content: Content): number;
  /** What two layers have of a cell, the newer above the older. */
  join(older: Content, newer: Content): Content;
}

/** Share of the budget that one clean layer may take before the next is begun. */
const CLEAN_SHARE = 1 / 8;
/** So many clean layers are looked through at most: two become one. */
const CLEAN_LAYERS_MAX = 8;
/** So many values come between two looks at the budget. */
const LOOK_VALUES = 64;

export class Layers<Content> implements MemoryUser {
  #current: Layer<Content> = emptyLayer();
  /** Newest first. */
  #frozen: readonly FrozenLayer<Content>[] = [];
  /** Newest first. */
  readonly #clean: Layer<Content>[] = [];
  #valuesToLook = LOOK_VALUES;
  readonly #options: LayersOptions<Content>;

  constructor(options: LayersOptions<Content>) {
    this.#options = options;
    options.budget.add(this);
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

  get unappliedBytes(): number {
    return this.#frozen.reduce((sum, { values }) => sum + values, this.#current.values) * this.#options.valueBytes();
  }

  get cleanBytes(): number {
    return this.#clean.reduce((sum, { values }) => sum + values, 0) * this.#options.valueBytes();
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
      const layer = this.#clean[age] as Layer<Content>;
      const found = layer.cells.get(identity);
      if (found === undefined) continue;
      if (age > 0) this.#renew(identity, found, layer);
      return found;
    }
    return undefined;
  }

  /** The current layer got values. */
  wrote(values: number): void {
    this.#current.values += values;
    this.#look(values);
  }

  /** Takes in what the store has of a cell. */
  keep(identity: KeyIdentity, content: Content): void {
    const layer = this.cleanLayer();
    const before = layer.cells.get(identity);
    layer.cells.set(identity, content);
    const values = this.#options.valuesOf(content) - (before === undefined ? 0 : this.#options.valuesOf(before));
    this.kept(layer, values);
  }

  /** The clean layer that takes what is read. */
  cleanLayer(): Layer<Content> {
    const newest = this.#clean[0];
    const limit = this.#options.budget.limitBytes * CLEAN_SHARE;
    if (newest !== undefined && newest.values * this.#options.valueBytes() < limit) return newest;
    const added = emptyLayer<Content>();
    this.#addClean([added]);
    return added;
  }

  /** A clean layer got values. */
  kept(layer: Layer<Content>, values: number): void {
    layer.values += values;
    this.#look(values);
  }

  forget(bytes: number): void {
    let values = bytes / this.#options.valueBytes();
    for (let oldest = this.#clean.at(-1); oldest !== undefined && values > 0; oldest = this.#clean.at(-1)) {
      for (const [identity, content] of oldest.values > values ? oldest.cells : []) {
        if (values <= 0) return;
        const gone = this.#options.valuesOf(content);
        oldest.cells.delete(identity);
        oldest.values -= gone;
        values -= gone;
      }
      // All of it is to go, or all that could be counted has gone.
      values -= oldest.values;
      this.#clean.pop();
    }
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
    this.#addClean(clean);
    this.#options.budget.settle();
  }

  #look(values: number): void {
    this.#valuesToLook -= Math.max(1, values);
    if (this.#valuesToLook > 0) return;
    this.#valuesToLook = LOOK_VALUES;
    this.#options.budget.settle();
  }

  /** What is used stays: it moves on to the layer that goes last. */
  #renew(identity: KeyIdentity, content: Content, layer: Layer<Content>): void {
    layer.cells.delete(identity);
    layer.values -= this.#options.valuesOf(content);
    this.keep(identity, content);
  }

  #addClean(layers: readonly Layer<Content>[]): void {
    while (this.#clean.length >= CLEAN_LAYERS_MAX) this.#joinSmallest();
    this.#clean.unshift(...layers);
  }

  /** The smallest layer but the oldest goes into the one below it. */
  #joinSmallest(): void {
    const sizes = this.#clean.slice(0, -1).map(({ values }) => values);
    const at = sizes.indexOf(Math.min(...sizes));
    const [newer] = this.#clean.splice(at, 1);
    const older = this.#clean[at];
    if (newer === undefined || older === undefined) return;
    for (const [identity, content] of newer.cells) {
      const below = older.cells.get(identity);
      const joined = below === undefined ? content : this.#options.join(below, content);
      // Behind all that was there: it goes last.
      older.cells.delete(identity);
      older.cells.set(identity, joined);
      older.values += this.#options.valuesOf(joined) - (below === undefined ? 0 : this.#options.valuesOf(below));
    }
  }
}

function emptyLayer<Content>(): Layer<Content> {
  return { cells: new Map(), rows: 0, values: 0 };
}
