/**
 * Stands before the storage that is tested: every call has a deadline, every result has the type that the contract says, and every
 * call is noted. Whatever else the storage does passes as it is.
 */

import type {
  ByteRange,
  CheckpointStorage,
  PutOptions,
  PutOutcome,
  StoredObject,
  TransactionalOutcome,
} from "@tidemark/core";
import { Blame, errorText } from "./blame.js";
import type { CallTrace } from "./call-trace.js";
import { CallersBodies } from "./callers-body.js";
import { inTime } from "./deadline.js";

type PutWith = NonNullable<CheckpointStorage["putWith"]>;

const METHODS = ["put", "get", "list", "remove", "close"] as const;

/** What the guard needs besides the storage. */
export interface Guarding {
  readonly deadlineMs: number;
  readonly trace: CallTrace;
}

/** @throws {Blame} if `handle` is not a `CheckpointStorage` */
export function requireStorage(handle: unknown): asserts handle is CheckpointStorage {
  const missing = METHODS.filter((name) => typeof (handle as Record<string, unknown> | null)?.[name] !== "function");
  if (missing.length === 0) return;
  const found = handle === null || typeof handle !== "object" ? String(handle) : `without ${missing.join(", ")}`;
  throw new Blame(
    "harness",
    `reopen gave no CheckpointStorage. found=${found} expected=an object with ${METHODS.join(", ")}. Return what the adapter exports, not a promise in an object or a factory.`,
  );
}

export class GuardStorage implements CheckpointStorage {
  readonly inner: CheckpointStorage;
  /** Its process has died: it may be silent, and nobody minds. */
  isDead = false;
  readonly #guarding: Guarding;
  readonly #bodies = new CallersBodies();

  /** There if the storage has it: core asks for nothing else. */
  readonly putWith?: PutWith;

  constructor(inner: CheckpointStorage, guarding: Guarding) {
    this.inner = inner;
    this.#guarding = guarding;
    const putWith = inner.putWith?.bind(inner);
    if (putWith !== undefined) this.putWith = (...given) => this.#putWith(putWith, given);
  }

  async #putWith(putWith: PutWith, [name, body, put]: Parameters<PutWith>): Promise<TransactionalOutcome> {
    const call = `putWith(${shortName(name)}, ${body.length} bytes${put.guard === undefined ? "" : ", guard"})`;
    return this.#noted(call, async () => {
      const work: typeof put.work = (client) => this.#bodies.during(() => put.work(client));
      const outcome: unknown = await this.#timed(call, putWith(name, body, { ...put, work }));
      if (outcome === "created" || outcome === "exists" || outcome === "refused") return outcome;
      throw wrongType(call, outcome, "'created', 'exists' or 'refused'");
    });
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    const size = body instanceof Uint8Array ? `${body.length} bytes` : "a stream";
    const call = `put(${shortName(name)}, ${size}${options?.ifAbsent === true ? ", ifAbsent" : ""})`;
    return this.#noted(call, async () => {
      const outcome: unknown = await this.#timed(call, this.inner.put(name, this.#bodies.wrap(body), options));
      if (outcome === "created" || outcome === "exists") return outcome;
      throw wrongType(call, outcome, "'created' or 'exists'");
    });
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    const call = `get(${shortName(name)}${range === undefined ? "" : `, ${range.start}..${range.end}`})`;
    let count = 0;
    for await (const chunk of this.#each<unknown>(call, () => this.inner.get(name, range))) {
      if (!(chunk instanceof Uint8Array)) throw wrongType(call, chunk, "Uint8Arrays");
      count += chunk.length;
      yield chunk;
    }
    this.#guarding.trace.add(`${call} gave ${count} bytes`);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    const call = `list(${JSON.stringify(prefix)})`;
    let count = 0;
    for await (const object of this.#each<unknown>(call, () => this.inner.list(prefix))) {
      const { name, bytes } = (object ?? {}) as Partial<StoredObject>;
      const isObject = typeof name === "string" && Number.isSafeInteger(bytes) && (bytes ?? -1) >= 0;
      if (!isObject) throw wrongType(call, JSON.stringify(object), "{ name, bytes } with an integer of bytes");
      count++;
      yield object as StoredObject;
    }
    this.#guarding.trace.add(`${call} gave ${count} objects`);
  }

  async remove(names: readonly string[]): Promise<void> {
    const call = `remove([${names.slice(0, 4).map(shortName).join(", ")}${names.length > 4 ? ", …" : ""}])`;
    await this.#noted(call, () => this.#timed(call, this.inner.remove(names)));
  }

  async close(): Promise<void> {
    await this.#noted("close()", () => this.#timed("close()", this.inner.close()));
  }

  /** Whoever gave a body is gone. */
  abandon(): void {
    this.#bodies.abandon();
  }

  async *#each<T>(call: string, begin: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let iterator: AsyncIterator<T> | undefined;
    let isDone = false;
    try {
      const iterable: unknown = begin();
      iterator = (iterable as AsyncIterable<T> | undefined)?.[Symbol.asyncIterator]?.();
      if (iterator === undefined) throw wrongType(call, iterable, "an async iterable");
      for (;;) {
        const next = await this.#timed(call, iterator.next());
        isDone = next.done === true;
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      isDone = true;
      this.#failed(call, error);
      throw error;
    } finally {
      // Who stops early says so to the storage, as `for await` does: it may hold a file.
      if (!isDone) await iterator?.return?.();
    }
  }

  async #noted<T>(call: string, run: () => Promise<T>): Promise<T> {
    try {
      const result = await run();
      this.#guarding.trace.add(`${call}${result === undefined ? "" : ` gave ${String(result)}`}`);
      return result;
    } catch (error) {
      this.#failed(call, error);
      throw error;
    }
  }

  async #timed<T>(call: string, work: Promise<T>): Promise<T> {
    try {
      const isOurTurn = (): boolean => this.#bodies.areAwaited;
      return await inTime(work, { ms: this.#guarding.deadlineMs, culprit: "adapter", what: call, isOurTurn });
    } catch (error) {
      if (error instanceof Blame && this.isDead) throw new Error(`${call}: the process is dead.`, { cause: error });
      throw error;
    }
  }

  #failed(call: string, error: unknown): void {
    const { trace } = this.#guarding;
    trace.add(`${call} failed: ${errorText(error)}`);
    if (error instanceof Blame) trace.blame ??= error;
  }
}

function wrongType(call: string, found: unknown, expected: string): Blame {
  const text = typeof found === "string" ? found.slice(0, 80) : String(found);
  return new Blame(
    "adapter",
    `${call} gave something of a wrong type. found=${text} expected=${expected}. See the contract of CheckpointStorage.`,
  );
}

function shortName(name: unknown): string {
  const text = JSON.stringify(name) ?? String(name);
  return text.length <= 60 ? text : `${text.slice(0, 40)}…(${text.length})`;
}
