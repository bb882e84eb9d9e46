/** `putWith` by itself: results are there if and only if the call has created the object, whatever else was called before. */

import type { CheckpointStorage } from "@tidemark/core";
import fc from "fast-check";
import { expectEqual, expectThat, outcomeText, type Settled, settled } from "../oracles/expectations.js";
import { listNames, readObject } from "../oracles/stored-objects.js";

/** Where results are kept beside objects. */
export interface ResultsPlace {
  open(): Promise<CheckpointStorage>;
  crash(handle: CheckpointStorage): Promise<void>;
  writeResult(client: unknown, result: string): Promise<void>;
  readResults(): Promise<readonly string[]>;
}

export type PutWith = NonNullable<CheckpointStorage["putWith"]>;

/** @throws if the storage has no transactions */
export function putWithOf(storage: CheckpointStorage): PutWith {
  const putWith = storage.putWith?.bind(storage);
  expectThat(putWith !== undefined, "A storage that declares transactions has no putWith");
  return putWith;
}

/** The owner record with a number. */
export function ownerName(number: number): string {
  return `owner/${String(number).padStart(4, "0")}`;
}

const HANDLES = 2;
const NAMES = ["a/1", "a/2", "b/1"] as const;

type Call =
  | {
      readonly kind: "put with results";
      readonly handle: number;
      readonly name: number;
      /** How many results. */
      readonly count: number;
      readonly guard: "none" | "true" | "outdated";
      readonly fails: boolean;
    }
  | { readonly kind: "put" | "remove"; readonly handle: number; readonly name: number }
  | { readonly kind: "next owner"; readonly handle: number };

const handle = fc.nat(HANDLES - 1);
const name = fc.nat(NAMES.length - 1);
const calls: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put with results" as const),
      handle,
      name,
      count: fc.nat(2),
      guard: fc.constantFrom("none" as const, "true" as const, "outdated" as const),
      fails: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("put" as const, "remove" as const), handle, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("next owner" as const), handle }) },
);

export function resultsWithObjects(newPlace: () => Promise<ResultsPlace>): fc.IAsyncProperty<[Call[]]> {
  return fc.asyncProperty(fc.array(calls, { minLength: 1, maxLength: 12, size: "max" }), async (program) => {
    const place = await newPlace();
    const handles: CheckpointStorage[] = [];
    for (let index = 0; index < HANDLES; index++) handles.push(await place.open());
    const run = new Run(place, handles);
    for (const call of program) await run.do(call);
  });
}

class Run {
  readonly #place: ResultsPlace;
  readonly #handles: readonly CheckpointStorage[];
  /** By name. */
  readonly #objects = new Map<string, Buffer>();
  readonly #results: string[] = [];
  #owner = 0;
  #calls = 0;

  constructor(place: ResultsPlace, handles: readonly CheckpointStorage[]) {
    this.#place = place;
    this.#handles = handles;
  }

  async do(call: Call): Promise<void> {
    const storage = this.#handles[call.handle] as CheckpointStorage;
    const body = Buffer.from(`body ${++this.#calls}`);
    switch (call.kind) {
      case "put with results":
        await this.#putWith(storage, body, call);
        break;
      case "next owner":
        await this.#put(storage, ownerName(++this.#owner), body);
        break;
      case "put":
        await this.#put(storage, NAMES[call.name] as string, body);
        break;
      case "remove": {
        const removed = NAMES[call.name] as string;
        await storage.remove([removed]);
        this.#objects.delete(removed);
      }
    }
    await this.#expectAll(storage, `After call ${this.#calls}, ${call.kind}`);
  }

  async #put(storage: CheckpointStorage, name: string, body: Buffer): Promise<void> {
    const expected = this.#objects.has(name) ? "exists" : "created";
    expectEqual(await storage.put(name, body, { ifAbsent: true }), expected, `put of ${name}`);
    if (expected === "created") this.#objects.set(name, body);
  }

  async #putWith(
    storage: CheckpointStorage,
    body: Buffer,
    { name: choice, count, guard, fails }: Extract<Call, { kind: "put with results" }>,
  ): Promise<void> {
    const name = NAMES[choice] as string;
    const results = Array.from({ length: count }, (_, index) => `${this.#calls}.${index}`);
    const failure = new Error("The work fails, as it is to.");
    let isCalled = false;
    const work = async (client: unknown): Promise<void> => {
      isCalled = true;
      for (const result of results) await this.#place.writeResult(client, result);
      if (fails) throw failure;
    };
    // Before the first owner no record can be the last.
    const last = guard === "true" ? this.#owner : this.#owner - 1;
    const guarded = { last: ownerName(Math.max(0, last)), next: ownerName(Math.max(0, last) + 1) };
    const put = guard === "none" ? { work } : { work, guard: guarded };
    const result = await settled(putWithOf(storage)(name, body, put));
    const isRefused = guard !== "none" && (guard === "outdated" || this.#owner === 0);
    const allowed = [...(isRefused ? ["refused"] : []), ...(this.#objects.has(name) ? ["exists"] : [])];
    if (allowed.length > 0) {
      const isAllowed = !("error" in result) && allowed.includes(result.value);
      expectThat(isAllowed, `putWith of ${name}: expected ${allowed.join(" or ")}, ${shown(result)}`);
      expectThat(!isCalled, `The work of a putWith that creates nothing was called: ${allowed.join(" or ")}`);
      return;
    }
    if (fails) {
      expectThat(result.error === failure, `A putWith whose work fails does not fail with its error: ${shown(result)}`);
      return;
    }
    const isCreated = !("error" in result) && result.value === "created";
    expectThat(isCreated, `putWith of ${name}: ${shown(result)}`);
    this.#objects.set(name, body);
    this.#results.push(...results);
  }

  async #expectAll(storage: CheckpointStorage, when: string): Promise<void> {
    const found = [...(await this.#place.readResults())].sort();
    expectEqual(found, [...this.#results].sort(), `${when}: results`);
    expectEqual(await listNames(storage, ""), [...this.#objects.keys()].sort(), `${when}: objects`);
    for (const [name, body] of this.#objects) {
      expectThat(body.equals(await readObject(storage, name)), `${when}: the object ${name} has other bytes`);
    }
  }
}

function shown(result: Settled<string>): string {
  return "error" in result ? outcomeText(result) : `found ${result.value}`;
}
