/**
 * A storage that does what a script says at chosen calls: fail before or after the effect, wait, or never answer.
 *
 * Invariants:
 * - A failure tells the truth: `not-applied` is only said of a call without an effect.
 * - After `kill` no call has an effect or answers: its process is gone.
 */

import {
  type ByteRange,
  type CheckpointStorage,
  type PutOptions,
  type PutOutcome,
  StateBackendError,
} from "@tidemark/core";

export type StorageCall = "put" | "get" | "list" | "remove";

/** What an object is, by its name. */
export type ObjectKind = "owner" | "lineage" | "manifest" | "segment" | "savepoint" | "other";

/** Where a rule applies. */
export interface Target {
  /** @defaultValue any */
  readonly call?: StorageCall;
  /** @defaultValue any */
  readonly kind?: ObjectKind;
}

export type Effect =
  | { readonly kind: "error"; readonly outcome: "not-applied" | "unknown" }
  /** Waits until the gate is opened. */
  | { readonly kind: "gate"; readonly gate: Gate };

export interface Rule extends Target {
  readonly when: "before" | "after";
  readonly effect: Effect;
  /** How often it applies. @defaultValue 1 */
  readonly times?: number;
  /** How many matching calls are let through first. @defaultValue 0 */
  readonly skip?: number;
}

/** A place where calls wait. */
export class Gate {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #reach!: () => void;
  #open!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  pass(): Promise<void> {
    this.#reach();
    return this.#opened;
  }

  open(): void {
    this.#open();
  }
}

interface ActiveRule extends Rule {
  left: number;
  toSkip: number;
}

/** What an object is. The names are those of docs/formats.md. */
export function objectKind(name: string): ObjectKind {
  const parts = name.split("/");
  if (parts.length === 1) return parts[0] === "savepoint" ? "savepoint" : "other";
  switch (parts.at(-2)) {
    case "owner":
    case "lineage":
    case "segment":
      return parts.at(-2) as ObjectKind;
    case "checkpoint":
      return "manifest";
    default:
      return "other";
  }
}

export class ScriptedStorage implements CheckpointStorage {
  readonly #inner: CheckpointStorage;
  #rules: ActiveRule[] = [];
  #isDead = false;
  /** How often a rule has made a call fail. */
  struck = 0;

  constructor(inner: CheckpointStorage) {
    this.#inner = inner;
  }

  addRule(rule: Rule): void {
    this.#rules.push({ ...rule, left: rule.times ?? 1, toSkip: rule.skip ?? 0 });
  }

  /** Forgets all rules; who waits at a gate goes on waiting. */
  heal(): void {
    this.#rules = [];
  }

  kill(): void {
    this.#isDead = true;
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    return this.#run("put", name, () => this.#inner.put(name, body, options));
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#before("get", name);
    for await (const chunk of this.#inner.get(name, range)) {
      await this.#unlessDead();
      yield chunk;
    }
    await this.#after("get", name);
  }

  async *list(prefix: string): ReturnType<CheckpointStorage["list"]> & AsyncGenerator {
    await this.#before("list", `${prefix}x`);
    for await (const object of this.#inner.list(prefix)) {
      await this.#unlessDead();
      yield object;
    }
    await this.#after("list", `${prefix}x`);
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#run("remove", names[0] ?? "", () => this.#inner.remove(names));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #run<T>(call: StorageCall, name: string, effect: () => Promise<T>): Promise<T> {
    await this.#before(call, name);
    const result = await effect();
    await this.#after(call, name);
    return result;
  }

  async #before(call: StorageCall, name: string): Promise<void> {
    await this.#apply(call, name, "before");
  }

  async #after(call: StorageCall, name: string): Promise<void> {
    await this.#apply(call, name, "after");
  }

  async #apply(call: StorageCall, name: string, when: Rule["when"]): Promise<void> {
    await this.#unlessDead();
    const rule = this.#take(call, objectKind(name), when);
    if (rule === undefined) return;
    if (rule.effect.kind === "gate") {
      await rule.effect.gate.pass();
      await this.#unlessDead();
      return;
    }
    this.struck++;
    const { outcome } = rule.effect;
    throw new StateBackendError("UNAVAILABLE", `Injected failure. call=${call} name=${name} when=${when}.`, {
      outcome,
    });
  }

  #take(call: StorageCall, kind: ObjectKind, when: Rule["when"]): ActiveRule | undefined {
    const matching = this.#rules.filter(
      (rule) => (rule.call ?? call) === call && rule.when === when && (rule.kind ?? kind) === kind && rule.left > 0,
    );
    const ready = matching.find((rule) => rule.toSkip === 0);
    for (const rule of matching) if (rule !== ready && rule.toSkip > 0) rule.toSkip--;
    if (ready !== undefined) ready.left--;
    return ready;
  }

  async #unlessDead(): Promise<void> {
    if (this.#isDead) await new Promise<never>(() => {});
  }
}
