/** Makes the next one while one is used. */

/** What `source` yields, one of it in advance. */
export async function* ahead<T>(source: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  let next = source.next();
  try {
    while (true) {
      const { done, value } = await next;
      if (done === true) return;
      next = source.next();
      // Whoever stops here never asks for it.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await source.return();
  }
}
