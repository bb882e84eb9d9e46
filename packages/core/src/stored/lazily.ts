/** A value that is made when it is first asked for: a barrier takes what it needs and leaves the work for later. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
