/** What all code of a process has in common: an adapter uses it, and leaves it as it is. */

/** Facts by name. */
export type ProcessFacts = Readonly<Record<string, string>>;

const PROTOTYPES: Readonly<Record<string, object>> = {
  "Object.prototype": Object.prototype,
  "Array.prototype": Array.prototype,
  "Function.prototype": Function.prototype,
  "String.prototype": String.prototype,
  "Promise.prototype": Promise.prototype,
  "Map.prototype": Map.prototype,
  "Uint8Array.prototype": Uint8Array.prototype,
  "Error.prototype": Error.prototype,
};

export function processFacts(): ProcessFacts {
  const prototypes = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, keysOf(prototype)]);
  return {
    ...(Object.fromEntries(prototypes) as Record<string, string>),
    "the names of globalThis": Object.getOwnPropertyNames(globalThis).sort().join(" "),
    "the working directory": process.cwd(),
    "the environment": JSON.stringify(process.env),
  };
}

let first: ProcessFacts | undefined;

/** As they were when this was asked for the first time: before an adapter was called at all. */
export function firstFacts(): ProcessFacts {
  return (first ??= processFacts());
}

/** The first fact that is another now; `undefined` if all are as they were. */
export function changedFact(before: ProcessFacts): string | undefined {
  const now = processFacts();
  return Object.keys(before).find((name) => before[name] !== now[name]);
}

function keysOf(object: object): string {
  return Reflect.ownKeys(object)
    .map((key) => String(key))
    .sort()
    .join(" ");
}
