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

function prototypeFacts(): ProcessFacts {
  return Object.fromEntries(Object.entries(PROTOTYPES).map(([name, prototype]) => [name, keysOf(prototype)]));
}

function surroundingFacts(): ProcessFacts {
  return {
    "the names of globalThis": Object.getOwnPropertyNames(globalThis).sort().join(" "),
    "the working directory": process.cwd(),
    "the environment": JSON.stringify(process.env),
  };
}

let first: ProcessFacts | undefined;

/** Prototypes as they were when this was called for the first time: before an adapter was called at all. */
export function rememberPrototypes(): ProcessFacts {
  return (first ??= prototypeFacts());
}

/** What must not change from now on: prototypes since they were remembered, and what else a program may have set before. */
export function factsBefore(): ProcessFacts {
  return { ...rememberPrototypes(), ...surroundingFacts() };
}

/** The first fact that is another now; `undefined` if all are as they were. */
export function changedFact(before: ProcessFacts): string | undefined {
  const now: ProcessFacts = { ...prototypeFacts(), ...surroundingFacts() };
  return Object.keys(before).find((name) => before[name] !== now[name]);
}

function keysOf(object: object): string {
  return Reflect.ownKeys(object)
    .map((key) => String(key))
    .sort()
    .join(" ");
}
