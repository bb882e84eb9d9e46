/**
 * The body of a put as the adapter gets it: knows whether the adapter waits for its caller, for which nobody may blame it, and can
 * end that waiting when a case is over.
 */

/** The bodies of one handle that are being written. */
export class CallersBodies {
  readonly #waiting = new Set<(error: Error) => void>();

  /** Whether some put of the handle waits for its caller. */
  get areAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  wrap(body: Uint8Array | AsyncIterable<Uint8Array>): Uint8Array | AsyncIterable<Uint8Array> {
    return body instanceof Uint8Array ? body : this.#chunks(body);
  }

  /** The callers are gone: what waits for them fails. */
  abandon(): void {
    for (const reject of this.#waiting) reject(new Error("The caller of this put is gone: its case is over."));
    this.#waiting.clear();
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator = body[Symbol.asyncIterator]();
    let isDone = false;
    try {
      for (;;) {
        const next = await this.during(() => iterator.next());
        isDone = next.done === true;
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      isDone = true;
      throw error;
    } finally {
      if (!isDone) await iterator.return?.();
    }
  }

  /** What the caller does meanwhile: nobody may blame the adapter for it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let abandon = (_: Error): void => {};
    const abandoned = new Promise<never>((_, reject) => {
      abandon = reject;
    });
    this.#waiting.add(abandon);
    try {
      return await Promise.race([work(), abandoned]);
    } finally {
      this.#waiting.delete(abandon);
    }
  }
}
