/**
 * What memory holds of a state whose rest is in a store, found by one look into one index. Each row belongs to a layer:
 *
 *   current   written in this epoch
 *   frozen    of epochs whose changes the store does not have yet
 *   clean     the store has the same: what it got of ended epochs, and what was read from it
 *
 *   ──write──▶ current ──freeze──▶ frozen ──applied──▶ clean ──forget──▶ (store)
 *
 * Invariants:
 * - What a row says hides what older rows say, and the store. Older ones are kept only where `joins` says that they have more to say.
 * - A row of a frozen layer does not change: who writes over it makes another one.
 * - Only clean rows go when memory gets short. One that was used since the last round stays for another one.
 */

import type { KeyIdentity } from "../contracts/codec.js";
import type { MemoryBudget, MemoryUser } from "./memory-budget.js";

/** What a layer says, above what older layers say. */
export interface KnownRow<Content> {
  readonly content: Content;
  readonly older: KnownRow<Content> | undefined;
}

/** What was written in one epoch, in the order of the first writes. */
export interface WrittenLayer<Content> {
  readonly identities: readonly KeyIdentity[];
  readonly rows: readonly KnownRow<Content>[];
  /** Entries that it comes to. */
  readonly entries: number;
}

export interface LayersOptions<Content> {
  readonly budget: MemoryBudget;
  /** Estimated bytes of a value. */
  valueBytes(): number;
  /** How many values a row has. */
  valuesOf(content: Content): number;
  /** What two rows come to, the newer above the older; nothing if a newer one says everything. */
  readonly join?: (older: Content, newer: Content) => Content;
}

/** So many values come between two looks at the budget. */
const LOOK_VALUES = 64;
/** So many rows are gone past to make room for them, until what is too much comes to this share of all rows. */
const LOOK_ROWS = 4 * LOOK_VALUES;
const LOOK_ROWS_SHARE = 8;

class Layer<Content> implements WrittenLayer<Content> {
  identities: KeyIdentity[] = [];
  rows: Row<Content>[] = [];
  entries = 0;
  /** Estimated for what it takes. */
  values = 0;
  /** Of them, those that went when a newer row took their place. */
  goneValues = 0;
  /** Set when it is frozen. */
  epoch = 0;
  isClean = false;
}

class Row<Content> implements KnownRow<Content> {
  content: Content;
  layer: Layer<Content>;
  /** Since whoever makes room came past. */
  isUsed = false;
  older: Row<Content> | undefined;

  constructor(content: Content, layer: Layer<Content>, older: Row<Content> | undefined) {
    this.content = content;
    this.layer = layer;
    this.older = older;
  }
}

export class Layers<Content> implements MemoryUser {
  readonly #options: LayersOptions<Content>;
  readonly #index = new Map<KeyIdentity, Row<Content>>();
  #current = new Layer<Content>();
  /** Oldest first. */
  #frozen: readonly Layer<Content>[] = [];
  /** Of what was read. */
  readonly #read = new Layer<Content>();
  #cleanValues = 0;
  #valuesToLook = LOOK_VALUES;
  /** Makes room from the beginning of the index: everything before it has gone, or has moved to the end. */
  #hand: MapIterator<[KeyIdentity, Row<Content>]> | undefined;

  constructor(options: LayersOptions<Content>) {
    this.#options = options;
    this.#read.isClean = true;
    options.budget.add(this);
  }

  /** Layers whose changes the store does not have, oldest first. */
  get unapplied(): readonly WrittenLayer<Content>[] {
    return [...this.#frozen, this.#current];
  }

  /** Entries that were written in this epoch. */
  get writtenEntries(): number {
    return this.#current.entries;
  }

  /** Values that were written in this epoch. */
  get writtenValues(): number {
    return this.#current.values;
  }

  get unappliedBytes(): number {
    return this.#frozen.reduce((sum, { values }) => sum + values, this.#current.values) * this.#options.valueBytes();
  }

  get cleanBytes(): number {
    return this.#cleanValues * this.#options.valueBytes();
  }

  /** What the newest row of `identity` says. */
  find(identity: KeyIdentity): Content | undefined {
    const row = this.#index.get(identity);
    if (row === undefined) return undefined;
    if (!row.isUsed) row.isUsed = true;
    return row.content;
  }

  /** The newest row of `identity`, above the older ones. */
  rowOf(identity: KeyIdentity): KnownRow<Content> | undefined {
    const row = this.#index.get(identity);
    if (row === undefined) return undefined;
    row.isUsed = true;
    for (let known: Row<Content> | undefined = row; known !== undefined; known = known.older) this.#joinBelow(known);
    return row;
  }

  /** What this epoch has written of `identity`. */
  written(identity: KeyIdentity): Content | undefined {
    const row = this.#index.get(identity);
    return row?.layer === this.#current ? row.content : undefined;
  }

  /** What the newest row of `identity` says, if the store does not have it. */
  unappliedOf(identity: KeyIdentity): Content | undefined {
    const row = this.#index.get(identity);
    return row?.layer.isClean === false ? row.content : undefined;
  }

  /** Whether memory has a row of `identity`. */
  has(identity: KeyIdentity): boolean {
    return this.#index.has(identity);
  }

  /** Writes a row with so many entries, unless this epoch has written it already: then its content is replaced. */
  write(identity: KeyIdentity, content: Content, entries: number): void {
    const current = this.#current;
    const row = this.#index.get(identity);
    if (row?.layer === current) {
      row.content = content;
      return;
    }
    current.identities.push(identity);
    current.rows.push(this.#above(row, identity, content));
    current.entries += entries;
    this.wrote(this.#options.valuesOf(content));
  }

  /** The current layer got values. */
  wrote(values: number): void {
    this.#current.values += values;
    this.#look(values);
  }

  /** The current layer got entries. */
  gotEntries(entries: number): void {
    this.#current.entries += entries;
  }

  /** Takes in what the store has of `identity`, where memory has nothing. */
  keep(identity: KeyIdentity, content: Content): void {
    this.#index.set(identity, new Row(content, this.#read, undefined));
    this.kept(this.#options.valuesOf(content));
  }

  /** The clean row of `identity`, below all others, for more of what the store has: see `kept`. */
  cleanRow(identity: KeyIdentity, make: () => Content): Content {
    let lowest = this.#index.get(identity);
    if (lowest === undefined) {
      lowest = new Row(make(), this.#read, undefined);
      this.#index.set(identity, lowest);
      return lowest.content;
    }
    this.#joinBelow(lowest);
    while (lowest.older !== undefined) {
      lowest = lowest.older;
      this.#joinBelow(lowest);
    }
    if (!lowest.layer.isClean) {
      lowest.older = new Row(make(), this.#read, undefined);
      lowest = lowest.older;
    }
    return lowest.content;
  }

  /** A clean row got values. */
  kept(values: number): void {
    this.#cleanValues += values;
    this.#look(values);
  }

  forget(bytes: number): void {
    let values = bytes / this.#options.valueBytes();
    // In one round what was used becomes unused, in the next it goes. Where most rows cannot go, a little is not worth going past all of them.
    const rounds = 2 * this.#index.size + 2;
    const isMuch = values * LOOK_ROWS_SHARE >= this.#index.size;
    for (let steps = isMuch ? rounds : Math.min(rounds, LOOK_ROWS); values > 0 && steps > 0; steps--) {
      this.#hand ??= this.#index.entries();
      const next = this.#hand.next();
      if (next.done === true) this.#hand = undefined;
      else values -= this.#forgetRow(...next.value);
    }
  }

  /** Ends the epoch: a new layer takes the writes to come. Returns the old one. */
  freeze(epoch: number): WrittenLayer<Content> {
    const ended = this.#current;
    ended.epoch = epoch;
    if (ended.rows.length > 0) this.#frozen = [...this.#frozen, ended];
    this.#current = new Layer();
    return ended;
  }

  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void {
    const applied = this.#frozen.filter((layer) => layer.epoch <= epoch);
    if (applied.length === 0) return;
    this.#frozen = this.#frozen.filter((layer) => layer.epoch > epoch);
    for (const layer of applied) {
      layer.isClean = true;
      // Its rows stay where the index has them.
      layer.identities = [];
      layer.rows = [];
      this.#cleanValues += layer.values - layer.goneValues;
    }
    this.#options.budget.settle();
  }

  /** A row of the current layer that hides `row`: that itself, if nothing else needs what it says. */
  #above(row: Row<Content> | undefined, identity: KeyIdentity, content: Content): Row<Content> {
    const keepsOlder = this.#options.join !== undefined;
    if (row !== undefined && !keepsOlder) {
      const { layer } = row;
      const values = this.#options.valuesOf(row.content);
      if (layer.isClean) {
        this.#cleanValues -= values;
        row.content = content;
        row.layer = this.#current;
        return row;
      }
      layer.goneValues += values;
    }
    const above = new Row(content, this.#current, keepsOlder ? row : undefined);
    this.#index.set(identity, above);
    return above;
  }

  /** Clean rows that stand above each other become one. */
  #joinBelow(row: Row<Content>): void {
    const { join } = this.#options;
    for (let { older } = row; row.layer.isClean && older !== undefined && join !== undefined; older = row.older) {
      const values = this.#options.valuesOf(row.content) + this.#options.valuesOf(older.content);
      row.content = join(older.content, row.content);
      row.older = older.older;
      this.#cleanValues += this.#options.valuesOf(row.content) - values;
    }
  }

  #look(values: number): void {
    this.#valuesToLook -= Math.max(1, values);
    if (this.#valuesToLook > 0) return;
    this.#valuesToLook = LOOK_VALUES;
    this.#options.budget.settle();
  }

  /** Lets go of what is clean of a row, if it is not used; else moves it to the end. Returns how many values went. */
  #forgetRow(identity: KeyIdentity, row: Row<Content>): number {
    this.#index.delete(identity);
    const { isUsed } = row;
    row.isUsed = false;
    if (isUsed || !row.layer.isClean) this.#index.set(identity, row);
    if (isUsed) return 0;
    let gone = 0;
    let above: Row<Content> | undefined;
    for (let known: Row<Content> | undefined = row; known !== undefined; known = known.older) {
      if (known.layer.isClean) gone += this.#options.valuesOf(known.content);
      else above = known;
    }
    if (above !== undefined) above.older = undefined;
    this.#cleanValues -= gone;
    return gone;
  }
}
