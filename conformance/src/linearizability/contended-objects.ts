/**
 * Several callers on few names of a storage: what each is told has to fit one order of all calls. Fencing and publishing stand on
 * that: whoever creates an object is its only creator, and from then on everybody sees it.
 */

import { type CheckpointStorage, hasCode, isStateBackendError, systemClock } from "@tidemark/core";
import fc from "fast-check";
import type { Coverage } from "../commands/coverage.js";
import { readObject } from "../oracles/stored-objects.js";
import { type Settled, settled } from "../oracles/expectations.js";
import { expectLinearizable } from "./expect-linearizable.js";
import { History, Moments } from "./history.js";
import { OBJECT_REGISTER, type ObjectCall } from "./object-register.js";

const NAMES = ["owner/1", "owner/2"] as const;
const FOLDER = "owner/";

/** One call of a caller. */
export interface ContendedCall {
  readonly kind: "create" | "read" | "list" | "remove";
  readonly name: number;
  /** Turns of the event loop that the caller lets pass before. */
  readonly pause: number;
  /** The caller does not wait for the answer, and never hears it. */
  readonly isForgotten: boolean;
}

/** The calls of each caller. */
export type Contention = readonly (readonly ContendedCall[])[];

/** Where callers meet. */
export interface ContendedPlace {
  open(): Promise<CheckpointStorage>;
  /** Makes the `nth` next operation below the place fail; the function that is returned ends that. */
  faults?(nth: number): Promise<() => boolean>;
}

export interface ContentionSettings {
  readonly coverage: Coverage;
  /** Whether each caller has a handle of its own; otherwise they share one. */
  readonly isShared: boolean;
  /** Whether something below fails meanwhile. */
  readonly hasFaults: boolean;
}

/** One case: callers, and which operation below fails. */
export interface ContentionCase {
  readonly callers: Contention;
  readonly fault: number;
}

const calls: fc.Arbitrary<ContendedCall> = fc.record({
  kind: fc.constantFrom("create", "create", "create", "read", "read", "list", "remove"),
  name: fc.nat(NAMES.length - 1),
  pause: fc.nat(3),
  isForgotten: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const CALLERS_MAX = 4;
const CALLS_MAX = 5;

const cases: fc.Arbitrary<ContentionCase> = fc.record({
  callers: fc.array(fc.array(calls, { minLength: 1, maxLength: CALLS_MAX, size: "max" }), {
    minLength: 1,
    maxLength: CALLERS_MAX,
    size: "max",
  }),
  fault: fc.nat(20),
});

/** The calls of all callers on each name are linearizable. */
export function contendedObjects(
  newPlace: () => Promise<ContendedPlace>,
  settings: ContentionSettings,
): fc.IAsyncProperty<[ContentionCase]> {
  return fc.asyncProperty(cases, async ({ callers, fault }) => {
    const contention = new ContendedObjects(settings.coverage);
    const place = await newPlace();
    const shared = settings.isShared ? undefined : await place.open();
    const handles: CheckpointStorage[] = [];
    for (const _ of callers) handles.push(shared ?? (await place.open()));
    const end = settings.hasFaults ? await place.faults?.(fault) : undefined;
    const work = callers.map((program, index) => contention.run(index, handles[index] as CheckpointStorage, program));
    await Promise.all(work);
    await contention.forgotten();
    if (end?.() === true) settings.coverage.count("contention fault");
    const last = shared ?? (await place.open());
    for (const name of NAMES.keys()) await contention.run("end", last, [readOf(name)]);
    for (const name of NAMES) {
      expectLinearizable(name, contention.histories.get(name)?.operations ?? [], OBJECT_REGISTER);
    }
  });
}

function readOf(name: number): ContendedCall {
  return { kind: "read", name, pause: 0, isForgotten: false };
}

/** What a program of calls says, line by line. */
export function contentionLines({ callers }: ContentionCase): readonly string[] {
  return callers.flatMap((program, index) =>
    program.map(({ kind, name, pause, isForgotten }) => {
      const when = pause === 0 ? "" : ` after ${pause} turns`;
      return `caller ${index}: ${kind} ${kind === "list" ? FOLDER : NAMES[name]}${when}${isForgotten ? ", without waiting" : ""}`;
    }),
  );
}

class ContendedObjects {
  /** A name is a register of its own: what holds of each holds of all. */
  readonly histories = new Map(NAMES.map((name) => [name as string, new History<ObjectCall>()]));
  readonly #moments = new Moments();
  readonly #coverage: Coverage;
  readonly #pending: Promise<void>[] = [];
  #bodies = 0;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  async run(caller: number | "end", storage: CheckpointStorage, program: readonly ContendedCall[]): Promise<void> {
    for (const call of program) {
      for (let turn = 0; turn < call.pause; turn++) await systemClock.yield();
      this.#coverage.count(`contended ${call.kind}`);
      const work = this.#call(caller === "end" ? "at the end" : `caller ${caller}`, storage, call);
      if (call.isForgotten) this.#pending.push(work);
      else await work;
    }
  }

  /** Resolves when the calls that nobody waits for have ended, so that the place can be looked at. */
  async forgotten(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #call(caller: string, storage: CheckpointStorage, { kind, name, isForgotten }: ContendedCall): Promise<void> {
    const object = NAMES[name] as string;
    const told = { caller, invoked: this.#moments.next(), isForgotten };
    if (kind === "create") await this.#create(storage, object, told);
    else if (kind === "remove") await this.#remove(storage, object, told);
    else if (kind === "read") await this.#read(storage, object, told);
    else await this.#list(storage, told);
  }

  async #create(storage: CheckpointStorage, name: string, told: Told): Promise<void> {
    const body = `${++this.#bodies}`;
    const result = await settled(storage.put(name, Buffer.from(body), { ifAbsent: true }));
    if (hadNoEffect(result)) return;
    if (told.isForgotten || isUnknown(result)) {
      this.#add(name, { kind: "create", body }, { ...told, isForgotten: true });
    } else this.#add(name, { kind: "create", body, result: valueOf(result) }, told);
  }

  async #remove(storage: CheckpointStorage, name: string, told: Told): Promise<void> {
    const result = await settled(storage.remove([name]));
    if (hadNoEffect(result)) return;
    const isForgotten = told.isForgotten || isUnknown(result);
    if (!isForgotten) valueOf(result);
    this.#add(name, { kind: "remove" }, { ...told, isForgotten });
  }

  /** A read that failed says nothing. */
  async #read(storage: CheckpointStorage, name: string, told: Told): Promise<void> {
    const result = await settled(readObject(storage, name));
    if (told.isForgotten || ("error" in result && hasCode(result.error, "UNAVAILABLE"))) return;
    const isAbsent = "error" in result && hasCode(result.error, "CHECKPOINT_NOT_FOUND");
    this.#add(name, { kind: "read", ...(isAbsent ? {} : { body: valueOf(result).toString() }) }, told);
  }

  /** A listing looks at each name once, at some moment of its own. */
  async #list(storage: CheckpointStorage, told: Told): Promise<void> {
    const found = new Set<string>();
    const listing = async (): Promise<void> => {
      for await (const { name } of storage.list(FOLDER)) found.add(name);
    };
    const result = await settled(listing());
    if (told.isForgotten || ("error" in result && hasCode(result.error, "UNAVAILABLE"))) return;
    valueOf(result);
    const returned = this.#moments.next();
    for (const name of NAMES) this.#add(name, { kind: "listed", isThere: found.has(name) }, told, returned);
  }

  #add(name: string, call: ObjectCall, { caller, invoked, isForgotten }: Told, returned = this.#moments.next()): void {
    const moment = isForgotten ? Infinity : returned;
    const text = textOf(call);
    this.histories.get(name)?.add({ call, caller, invoked, returned: moment, isOptional: isForgotten, text });
  }
}

interface Told {
  readonly caller: string;
  readonly invoked: number;
  readonly isForgotten: boolean;
}

function hadNoEffect(result: Settled<unknown>): boolean {
  return "error" in result && isStateBackendError(result.error) && result.error.outcome === "not-applied";
}

/** Whoever is told UNAVAILABLE is told nothing of the effect. */
function isUnknown(result: Settled<unknown>): boolean {
  return "error" in result && hasCode(result.error, "UNAVAILABLE");
}

function valueOf<T>(result: Settled<T>): T {
  if ("error" in result) throw result.error;
  return result.value;
}

function textOf(call: ObjectCall): string {
  switch (call.kind) {
    case "create":
      return `create ${call.body}: ${call.result ?? "no answer"}`;
    case "read":
      return `read: ${call.body ?? "absent"}`;
    case "listed":
      return `list: ${call.isThere ? "there" : "not there"}`;
    case "remove":
      return "remove";
  }
}
