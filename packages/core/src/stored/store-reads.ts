/**
 * Reads of a store, as its tables ask for them: those of one turn of the event loop become one call.
 *
 * Invariants:
 * - A result is of a store that did not change from the question to the answer, but for changes that are still in memory: whoever gets
 *   it looks into memory first.
 */

import type { Clock } from "../contracts/clock.js";
import type { KeyRange, Store, StoreEntry } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";

/** So many keys, or bytes of keys, make a call. */
const BATCH_KEYS = 1000;
const BATCH_BYTES = 1024 * 1024;

interface Question {
  readonly key: BinaryKey;
  /** Of the store when it was asked. */
  readonly applies: number;
  /** Throws what is wrong with the value. */
  readonly take: (value: Uint8Array | undefined) => unknown;
  readonly resolve: (taken: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class StoreReads {
  readonly #store: Store;
  readonly #clock: Clock;
  #asked: Question[] = [];
  #askedBytes = 0;
  #applies = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** How often the store has changed. */
  get applies(): number {
    return this.#applies;
  }

  /** The store has changed: what was asked before and is answered later is asked again. */
  noteApplied(): void {
    this.#applies++;
  }

  /** Whether a value can be had without a promise. */
  get isSync(): boolean {
    return this.#store.getManySync !== undefined;
  }

  /** @throws {TypeError} if the store has to be waited for */
  getSync(key: BinaryKey): Uint8Array | undefined {
    if (this.#store.getManySync === undefined) throw new TypeError("The store cannot be read without a promise.");
    return this.#store.getManySync([key])[0];
  }

  /** What `take` makes of the value, at the moment it is there. One promise, since there is one for each record. */
  get(key: BinaryKey, take: (value: Uint8Array | undefined) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#ask({ key, applies: this.#applies, take, resolve, reject });
    });
  }

  /** Entries of `range`, ascending; see `applies`. */
  async *scan(range: KeyRange): AsyncGenerator<StoreEntry, void, undefined> {
    for await (const chunk of this.scanChunks(range)) yield* chunk;
  }

  /** As `scan`, in the chunks of the store: handing rows on one by one would cost more than reading them. */
  scanChunks(range: KeyRange): AsyncIterable<readonly StoreEntry[]> {
    return this.#store.scan(range);
  }

  #ask(question: Question): void {
    if (this.#asked.length === 0) void this.#clock.yield().then(() => this.#send());
    this.#asked.push(question);
    this.#askedBytes += question.key.length;
    if (this.#asked.length >= BATCH_KEYS || this.#askedBytes >= BATCH_BYTES) this.#send();
  }

  #send(): void {
    const asked = this.#asked;
    if (asked.length === 0) return;
    this.#asked = [];
    this.#askedBytes = 0;
    this.#answers(asked).then(
      (values) => {
        for (let i = 0; i < asked.length; i++) {
          const question = asked[i] as Question;
          if (question.applies === this.#applies) answer(question, values[i]);
          else this.#ask({ ...question, applies: this.#applies });
        }
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error);
      },
    );
  }

  /** A promise also of what a store throws at once. */
  async #answers(asked: readonly Question[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#store.getMany(asked.map(({ key }) => key));
  }
}

function answer(question: Question, value: Uint8Array | undefined): void {
  try {
    question.resolve(question.take(value));
  } catch (error) {
    question.reject(error);
  }
}
