/** A result that is there at once, or has to be waited for: what memory knows costs no turn of the event loop. */

export type MaybePromise<T> = T | Promise<T>;

/** `next` of a result, as soon as it is there. */
export function after<T, Next>(found: MaybePromise<T>, next: (result: T) => Next): MaybePromise<Next> {
  return found instanceof Promise ? found.then(next) : next(found);
}

/** A promise of it in any case, also of what `read` throws: what `async` would give, with less to make. */
export function promised<T>(read: () => MaybePromise<T>): Promise<T> {
  try {
    const result = read();
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return new Promise(() => {
      throw error;
    });
  }
}
