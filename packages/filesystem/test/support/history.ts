/**
 * A history of puts and removes, and what a storage must hold after any prefix of it.
 *
 * Invariants:
 * - The model knows only what a caller knows: which calls began and how they ended, by the marks in the log.
 */

import { isDeepStrictEqual } from "node:util";
import { hasCode, isStateBackendError } from "@tidemark/core";
import type { CheckpointStorage, PutOptions } from "@tidemark/core";
import type { FaultFiles, LogEntry } from "./fault-files.js";

/** One call. */
export type Step = PutStep | RemoveStep;

/** A put; a body of several parts is streamed. */
export interface PutStep {
  readonly put: string;
  readonly body: Uint8Array | readonly Uint8Array[];
  readonly options?: PutOptions;
}

/** A remove. */
export interface RemoveStep {
  readonly remove: readonly string[];
}

/** Calls one after the other; those of an inner list at the same time. */
export type History = readonly (Step | readonly Step[])[];

/**
 * Runs `history` and marks in the log of `disk` when each call begins and ends. Failed calls do not stop it.
 * Steps are numbered from `firstIndex`, in the order of the flattened history. Resolves to how each call ended.
 */
export async function runHistory(
  history: History,
  storage: CheckpointStorage,
  disk: FaultFiles,
  firstIndex = 0,
): Promise<readonly string[]> {
  const outcomes: string[] = [];
  const run = async (step: Step, index: number): Promise<void> => {
    disk.mark(`begin ${index}`);
    const outcome = await outcomeOf(storage, step);
    disk.mark(`${outcome} ${index}`);
    outcomes.push(outcome);
  };
  let index = firstIndex;
  for (const steps of history) await Promise.all((isGroup(steps) ? steps : [steps]).map((step) => run(step, index++)));
  return outcomes;
}

/** All chunks of an object, joined. */
export async function readAll(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The whole listing, sorted by name. */
export async function listAll(storage: CheckpointStorage, prefix = ""): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) names.push(name);
  return names.sort();
}

/** The bytes of a step's body. */
export function bodyOf({ body }: PutStep): Buffer {
  return Buffer.concat(body instanceof Uint8Array ? [body] : [...body]);
}

/** A storage did what it must never do. */
export class LawBroken extends Error {
  override readonly name = "LawBroken";
}

/** What a storage may hold, as far as its caller can tell. */
export class Expectation {
  /** For each name the bodies it may have, `undefined` for no object. A name that is not here has no object. */
  readonly #allowed = new Map<string, readonly (Buffer | undefined)[]>();
  /** For each remove not done, its names that surely had an object: none may be there if a later one is gone. */
  readonly #orders = new Map<RemoveStep, readonly string[]>();

  constructor(history: History, log: readonly LogEntry[]) {
    const steps = history.flat() as readonly Step[];
    for (const { operation, path } of log) {
      if (operation !== "mark") continue;
      const [event = "", index = ""] = path.split(" ");
      const step = steps[Number(index)];
      if (step === undefined) throw new Error(`No such step: ${path}`);
      if ("put" in step) this.#put(event, step);
      else this.#remove(event, step);
    }
  }

  /** Throws unless `storage` holds what it may and must. */
  async check(storage: CheckpointStorage): Promise<void> {
    const listed = new Set(await listAll(storage));
    for (const name of listed) if (!this.#allowed.has(name)) throw new LawBroken(`Listed, but never put: ${name}`);
    for (const [name, bodies] of this.#allowed) {
      const found = await bodyIfAny(storage, name);
      const isAllowed = bodies.some((body) => isDeepStrictEqual(body, found));
      if (!isAllowed) throw new LawBroken(`Must not be: ${name} is ${found === undefined ? "absent" : show(found)}`);
      if (listed.has(name) !== (found !== undefined)) throw new LawBroken(`Listing and object differ: ${name}`);
    }
    for (const names of this.#orders.values()) {
      const firstThere = names.findIndex((name) => listed.has(name));
      const later = names.slice(firstThere).find((name) => !listed.has(name));
      const isBroken = firstThere >= 0 && later !== undefined;
      if (isBroken) throw new LawBroken(`Back although ${later} is gone: ${names[firstThere]}`);
    }
  }

  #put(event: string, step: PutStep): void {
    const before = this.#allowed.get(step.put) ?? [undefined];
    const body = bodyOf(step);
    const isOpen = before.includes(undefined);
    // A name that surely has an object keeps it. Otherwise each call in flight may bring its body.
    if (event === "begin" && isOpen) this.#allowed.set(step.put, [...before, body]);
    if (event === "not-applied" && isOpen) this.#allowed.set(step.put, withoutOne(before, body));
    if (event === "created") this.#allowed.set(step.put, [body]);
    if (event === "exists") this.#allowed.set(step.put, withoutOne(before, undefined));
  }

  #remove(event: string, step: RemoveStep): void {
    const certain = (name: string): boolean => !(this.#allowed.get(name) ?? [undefined]).includes(undefined);
    if (event === "begin") this.#orders.set(step, step.remove.filter(certain));
    if (event === "removed") this.#orders.delete(step);
    for (const name of step.remove) {
      const before = this.#allowed.get(name) ?? [undefined];
      this.#allowed.set(name, event === "removed" ? [undefined] : [...before, undefined]);
    }
  }
}

function isGroup(steps: Step | readonly Step[]): steps is readonly Step[] {
  return Array.isArray(steps);
}

async function outcomeOf(storage: CheckpointStorage, step: Step): Promise<string> {
  try {
    if ("put" in step) return await storage.put(step.put, chunked(step), step.options);
    await storage.remove(step.remove);
    return "removed";
  } catch (error) {
    if (isStateBackendError(error)) return error.outcome;
    throw error;
  }
}

async function bodyIfAny(storage: CheckpointStorage, name: string): Promise<Buffer | undefined> {
  try {
    return await readAll(storage, name);
  } catch (error) {
    if (hasCode(error, "CHECKPOINT_NOT_FOUND")) return undefined;
    throw error;
  }
}

function chunked({ body }: PutStep): Uint8Array | AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  return (async function* () {
    yield* body;
  })();
}

type MaybeBody = Buffer | undefined;

function withoutOne(bodies: readonly MaybeBody[], body: MaybeBody): readonly MaybeBody[] {
  const index = bodies.findLastIndex((other) => isDeepStrictEqual(other, body));
  return bodies.filter((_, place) => place !== index);
}

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 40).toString("latin1"));
}
