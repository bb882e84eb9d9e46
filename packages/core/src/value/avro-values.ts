/**
 * Values as avsc decodes them, made into values that a state can have.
 *
 * Invariants:
 * - What is given in is fresh from decoding and nobody else's; what comes out is frozen, or known to hold what cannot be frozen.
 * - Values of logical types (a `Date`, a class of the user's) are not looked into.
 */

import { isWellFormed } from "../bytes/well-formed.js";
import { kindOfPrototype } from "./copied-kind.js";

/** Bytes, values of logical types, and containers that hold such a member at any depth. */
const mutable = new WeakSet<object>();

/** Whether a value that `plainFrozen` gave has parts that a reader could change. */
export function holdsMutable(value: unknown): boolean {
  return typeof value === "object" && value !== null && mutable.has(value);
}

/** A decoded value with plain objects for instances of `generated` classes, frozen; bytes with memory of their own. */
export function plainFrozen(decoded: unknown, generated: ReadonlySet<unknown>): unknown {
  if (typeof decoded !== "object" || decoded === null) return decoded;
  if (Array.isArray(decoded)) {
    for (let index = 0; index < decoded.length; index++) decoded[index] = plainFrozen(decoded[index], generated);
    return frozen(decoded, decoded);
  }
  // avsc cuts bytes from a pool that all values share.
  if (decoded instanceof Uint8Array) return marked(Buffer.from(new Uint8Array(decoded).buffer));
  if (!isPlain(decoded) && !isGenerated(decoded, generated)) return marked(decoded);
  const plain: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(decoded)) plain[name] = plainFrozen(member, generated);
  return frozen(plain, Object.values(plain));
}

function frozen(container: object, members: readonly unknown[]): object {
  if (members.some(holdsMutable)) mutable.add(container);
  return Object.freeze(container);
}

function marked(value: object): object {
  mutable.add(value);
  return value;
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** Whether it is a record, or an object that says of which branch of a union its only member is. */
function isGenerated(value: object, generated: ReadonlySet<unknown>): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || !Object.hasOwn(prototype, "constructor")) return false;
  return (
    generated.has(prototype.constructor) || (Object.hasOwn(prototype, "unwrap") && "type" in prototype.constructor)
  );
}

/** Types within a type of avsc. */
interface TypeParts {
  readonly recordConstructor?: unknown;
  readonly fields?: readonly { readonly type: TypeParts }[];
  readonly types?: readonly TypeParts[];
  readonly itemsType?: TypeParts;
  readonly valuesType?: TypeParts;
  readonly underlyingType?: TypeParts;
}

/** The classes that avsc has generated for the records of `type`. */
export function generatedClasses(type: object): ReadonlySet<unknown> {
  const seen = new Set<TypeParts>([type]);
  for (const { fields = [], types = [], itemsType, valuesType, underlyingType } of seen) {
    for (const field of fields) seen.add(field.type);
    for (const part of [...types, itemsType, valuesType, underlyingType]) if (part !== undefined) seen.add(part);
  }
  return new Set([...seen].flatMap(({ recordConstructor }) => recordConstructor ?? []));
}

/** What would be lost, and where. */
export interface Loss {
  readonly reason: string;
  readonly path: readonly (string | number)[];
}

/** What of `given` its decoded encoding `owned` does not have although the type accepts it. */
export function findLoss(given: unknown, owned: unknown): Loss | undefined {
  if (typeof owned !== "object" || owned === null) {
    const isLost = typeof given === typeof owned && !isSame(given, owned);
    return isLost ? { reason: reasonOfLoss(given), path: [] } : undefined;
  }
  if (typeof given !== "object" || given === null) return undefined;
  if (Array.isArray(owned)) return findLossInArray(given, owned);
  return isPlain(owned) ? findLossInObject(given, owned as Record<string, unknown>) : undefined;
}

/** Integers have no -0, and a `float` has 32 bits. */
function isSame(given: unknown, owned: unknown): boolean {
  return given === owned || Object.is(given, owned) || (typeof given === "number" && Math.fround(given) === owned);
}

/** Text with a lone surrogate comes back with another character; avsc gets integers below -2^52 wrong. */
function reasonOfLoss(given: unknown): string {
  if (typeof given === "string" && !isWellFormed(given)) return "a string with a surrogate that lacks its pair";
  return `a ${typeof given} that its type gives back as another`;
}

// Both go by what is owned, which has an end; what is given may have cycles inside a value of a logical type.

function findLossInArray(given: object, owned: readonly unknown[]): Loss | undefined {
  if (Array.isArray(given) && Object.keys(given).length > owned.length) {
    return { reason: "an array with named properties", path: [] };
  }
  for (const [index, member] of owned.entries()) {
    const loss = findLoss((given as readonly unknown[])[index], member);
    if (loss !== undefined) return { ...loss, path: [index, ...loss.path] };
  }
  return undefined;
}

function findLossInObject(given: object, owned: Record<string, unknown>): Loss | undefined {
  const reason = reasonAgainst(given);
  if (reason !== undefined) return { reason, path: [] };
  for (const [name, member] of Object.entries(owned)) {
    const loss = findLoss((given as Record<string, unknown>)[name], member);
    if (loss !== undefined) return { ...loss, path: [name, ...loss.path] };
  }
  return undefined;
}

function reasonAgainst(given: object): string | undefined {
  // To Avro these are objects without any property.
  const prototype = Object.getPrototypeOf(given) as object | null;
  const kind = Array.isArray(given) ? "Array" : prototype === null ? undefined : kindOfPrototype(prototype);
  if (kind !== undefined) return `an instance of ${kind} in the place of an object`;
  if (Object.getOwnPropertySymbols(given).length > 0) return "an object with a symbol as key";
  for (const name of Object.keys(given)) {
    // Decoding a map would set the prototype.
    if (name === "__proto__") return "a property named __proto__";
    if (!isWellFormed(name)) return "a key with a surrogate that lacks its pair";
  }
  return undefined;
}
