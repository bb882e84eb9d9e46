/** What careless user code does to values: it changes what it has given to a state, or what it was given. */

/** Changes whatever can be changed of a value that a state was given, or has given. */
export function tamper(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const container = value instanceof Map || value instanceof Set ? (value as ReadonlyMap<unknown, unknown>) : undefined;
  const members = container === undefined ? [] : [...container.keys(), ...container.values()];
  if (!ArrayBuffer.isView(value)) {
    for (const member of [...members, ...(Object.values(value) as unknown[])]) tamper(member);
  }
  // What is frozen cannot be changed, all the better: trying it would cost as many errors.
  if (Object.isFrozen(value) && !isExotic(value)) return;
  for (const change of changesOf(value)) {
    try {
      change();
    } catch {
      // It is protected in another way.
    }
  }
}

/** What freezing does not protect. */
function isExotic(value: object): boolean {
  return value instanceof Map || value instanceof Set || value instanceof Date;
}

function changesOf(value: object): (() => unknown)[] {
  if (Array.isArray(value)) return [() => value.push("tampered"), () => (value[0] = "tampered")];
  if (value instanceof Date) return [() => value.setTime(99)];
  if (value instanceof Map) return [() => value.set("tampered", 1), () => value.delete([...value.keys()][0])];
  if (value instanceof Set) return [() => value.add("tampered")];
  if (value instanceof Uint8Array) return [() => value.fill(255)];
  if (value instanceof Float64Array) return [() => value.fill(255)];
  if (value instanceof BigInt64Array) return [() => value.fill(255n)];
  return [() => Object.assign(value, { tampered: 1 }), () => Object.assign(value, { a: "tampered" })];
}
