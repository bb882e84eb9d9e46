/**
 * Several owners on one scope of a store, each with a fence of its own: what each is told, that it owns the scope, that it applied, what
 * it reads, has to fit one order of all calls. A fenced owner that still changes something does not fit into any.
 */

import { hasCode, isStateBackendError, KeyGroups, type Store, systemClock, type TaskScope } from "@tidemark/core";
import fc from "fast-check";
import type { Coverage } from "../commands/coverage.js";
import { newFence, type OpenStoreHarness, type StoreHarness } from "../laws-of-stores/store-harness.js";
import { byGroup, deltaOf, keyOf, markOf, put, textOf } from "../laws-of-stores/store-script.js";
import { type Settled, settled } from "../oracles/expectations.js";
import { expectLinearizable } from "./expect-linearizable.js";
import { History, Moments } from "./history.js";
import { type Applied, type ScopeCall, scopeRegister } from "./scope-register.js";

/** One group: the marks of several need not change in one moment. */
const GROUPS = KeyGroups.of([{ first: 0, last: 0 }]);
const SCOPE: TaskScope = Object.freeze({ job: "job", operator: "operator", maxParallelism: 8, groups: GROUPS });
const KEY = keyOf(0, "a");
const FIRST: Applied = { mark: 1, value: "1" };

/** What an owner does while it has the scope. */
export interface OwnerStep {
  readonly kind: "apply" | "read" | "read beside an apply";
  /** Turns of the event loop that pass before. */
  readonly pause: number;
  /** Turns that pass while the changes of an apply are read. */
  readonly slowness: number;
}

/** Lives of an owner, one after the other: each opens the scope anew. */
export type OwnerLife = readonly OwnerStep[];

const steps: fc.Arbitrary<OwnerStep> = fc.record({
  kind: fc.constantFrom("apply", "apply", "read", "read beside an apply"),
  pause: fc.nat(3),
  slowness: fc.nat(3),
});
const lives: fc.Arbitrary<readonly OwnerLife[]> = fc.array(fc.array(steps, { maxLength: 4, size: "max" }), {
  minLength: 1,
  maxLength: 2,
});
const owners = fc.array(lives, { minLength: 1, maxLength: 3, size: "max" });

/** The calls of all owners on a scope are linearizable. */
export function contendedScopes(
  open: OpenStoreHarness,
  coverage: Coverage,
): fc.IAsyncProperty<[readonly (readonly OwnerLife[])[]]> {
  return fc.asyncProperty(owners, async (programs) => {
    const place = await open();
    try {
      const contention = new ContendedScope(place, coverage);
      await contention.prepare();
      await Promise.all(programs.map((program, index) => contention.live(`owner ${index}`, program)));
      await contention.live("at the end", [[{ kind: "read", pause: 0, slowness: 0 }]]);
      const register = scopeRegister(FIRST, place.takeover);
      expectLinearizable("what owners of one scope were told", contention.history.operations, register);
    } finally {
      await place.dispose();
    }
  });
}

/** What owners do, line by line. */
export function ownerLines(programs: readonly (readonly OwnerLife[])[]): readonly string[] {
  return programs.flatMap((program, index) =>
    program.flatMap((life) => [
      `owner ${index}: open`,
      ...life.map(({ kind, pause, slowness }) => `owner ${index}: ${kind}, after ${pause} turns, within ${slowness}`),
    ]),
  );
}

/** A handle that is open, and what it has to apply before anything else. */
interface Owned {
  readonly owner: string;
  readonly handle: number;
  readonly store: Store;
  unfinished: Applied | undefined;
}

class ContendedScope {
  readonly history = new History<ScopeCall>();
  readonly #moments = new Moments();
  readonly #place: StoreHarness;
  readonly #coverage: Coverage;
  readonly #values = new Map<number, string>([[FIRST.mark, FIRST.value]]);
  #handles = 0;

  constructor(place: StoreHarness, coverage: Coverage) {
    this.#place = place;
    this.#coverage = coverage;
  }

  /** The scope holds something: of one that holds nothing, `open` does not report what was being applied. */
  async prepare(): Promise<void> {
    const store = this.#place.create();
    await store.open(SCOPE, newFence());
    await store.apply(markOf(FIRST.mark), deltaOf([put(KEY, FIRST.value)]));
    await store.close();
  }

  async live(owner: string, program: readonly OwnerLife[]): Promise<void> {
    for (const life of program) {
      const owned = await this.#open(owner);
      if (owned === undefined) continue;
      for (const step of life) if (!(await this.#take(owned, step))) break;
      await this.#close(owned);
    }
  }

  async #open(owner: string): Promise<Owned | undefined> {
    const store = this.#place.create();
    const handle = ++this.#handles;
    const invoked = this.#moments.next();
    const result = await settled(store.open(SCOPE, newFence()));
    this.#coverage.count("contended open");
    if (isFenced(result) || isUnknown(result)) {
      // It may have taken the scope over, and lost it before it was answered. Where one at a time has it, it was refused.
      this.#add({ kind: "taken", handle }, { owner, invoked, text: "open: no answer", isOptional: true });
      await store.close();
      return undefined;
    }
    const held = byGroup(valueOf(result)).get(0);
    if (held === undefined) throw new Error("open reports nothing of a scope that holds something.");
    const applying = held.applying?.checkpoint;
    const call: ScopeCall = {
      kind: "open",
      handle,
      mark: held.mark.checkpoint,
      ...(applying === undefined ? {} : { applying }),
    };
    const text = `open: has ${call.mark}${applying === undefined ? "" : `, and some of ${applying}`}`;
    this.#add(call, { owner, invoked, text });
    const unfinished = applying === undefined ? undefined : { mark: applying, value: this.#valueOf(applying) };
    return { owner, handle, store, unfinished };
  }

  /** Whether the owner may go on. */
  async #take(owned: Owned, { kind, pause, slowness }: OwnerStep): Promise<boolean> {
    await turns(pause);
    this.#coverage.count(`contended ${kind}`);
    if (kind === "read") return this.#read(owned);
    const applying = this.#apply(owned, slowness);
    if (kind === "apply") return applying;
    await turns(1);
    const mayRead = await this.#read(owned);
    return (await applying) && mayRead;
  }

  async #read({ owner, handle, store }: Owned): Promise<boolean> {
    const invoked = this.#moments.next();
    const result = await settled(store.getMany([KEY]));
    if (isFenced(result)) {
      this.#add({ kind: "fenced", handle }, { owner, invoked, text: "read: fenced" });
      return false;
    }
    if (isUnknown(result)) return true;
    const [bytes] = valueOf(result);
    const value = bytes === undefined ? undefined : textOf(bytes);
    this.#add({ kind: "read", handle, value }, { owner, invoked, text: `read: ${value ?? "absent"}` });
    return true;
  }

  /** What had begun goes first, with the same changes. */
  async #apply(owned: Owned, slowness: number): Promise<boolean> {
    const { owner, handle, store } = owned;
    const applied = owned.unfinished ?? this.#nextApplied();
    const invoked = this.#moments.next();
    const result = await settled(store.apply(markOf(applied.mark), slowDelta(applied.value, slowness)));
    const isWhole = !("error" in result);
    const told = { owner, invoked, text: `apply ${applied.mark}: ${isWhole ? "done" : "failed"}` };
    const ends = isUnknown(result) ? { ...told, returned: Infinity } : { ...told, returned: this.#moments.next() };
    this.#add(
      { kind: "begin", handle, ...applied },
      { ...ends, text: `apply ${applied.mark} begins`, isOptional: true },
    );
    this.#add({ kind: "apply", handle, ...applied }, { ...ends, isOptional: !isWhole });
    owned.unfinished = isWhole ? undefined : applied;
    if (isFenced(result)) {
      this.#add({ kind: "fenced", handle }, { ...ends, text: `apply ${applied.mark}: fenced` });
      return false;
    }
    if (!isUnknown(result)) valueOf(result);
    return true;
  }

  async #close({ owner, handle, store }: Owned): Promise<void> {
    const invoked = this.#moments.next();
    await store.close();
    // Of a fenced handle it says nothing.
    this.#add(
      { kind: "close", handle },
      { owner, invoked, text: "close", isOptional: this.#place.takeover === "fences" },
    );
  }

  #add(call: ScopeCall, { owner, returned = this.#moments.next(), ...told }: Told): void {
    this.history.add({ call, caller: owner, returned, ...told });
  }

  #nextApplied(): Applied {
    const mark = this.#values.size + 1;
    this.#values.set(mark, `${mark}`);
    return { mark, value: `${mark}` };
  }

  #valueOf(mark: number): string {
    const value = this.#values.get(mark);
    if (value === undefined) throw new Error(`open reports ${mark} as being applied, and nobody ever did that.`);
    return value;
  }
}

interface Told {
  readonly owner: string;
  readonly invoked: number;
  readonly returned?: number;
  readonly isOptional?: boolean;
  readonly text: string;
}

function slowDelta(value: string, slowness: number): ReturnType<typeof deltaOf> {
  return {
    async *[Symbol.asyncIterator]() {
      await turns(slowness);
      yield [put(KEY, value)];
      await turns(slowness);
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await systemClock.yield();
}

function isFenced(result: Settled<unknown>): boolean {
  return "error" in result && hasCode(result.error, "FENCED");
}

/** An apply may have been made in part; a read says nothing. */
function isUnknown(result: Settled<unknown>): boolean {
  return "error" in result && isStateBackendError(result.error) && result.error.code === "UNAVAILABLE";
}

function valueOf<T>(result: Settled<T>): T {
  if ("error" in result) throw result.error;
  return result.value;
}
