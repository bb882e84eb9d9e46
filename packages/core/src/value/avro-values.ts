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
  if (Array.isArray(decoded)) return plainArray(decoded, generated);
  // avsc cuts bytes from a pool that all values share.
  if (decoded instanceof Uint8Array) return marked(Buffer.from(new Uint8Array(decoded).buffer));
  if (!isPlain(decoded) && !isGenerated(decoded, generated)) return marked(decoded);
  return plainObject(decoded as Record<string, unknown>, generated);
}

function plainArray(decoded: unknown[], generated: ReadonlySet<unknown>): object {
  let isMutable = false;
  for (let index = 0; index < decoded.length; index++) {
    const member = plainFrozen(decoded[index], generated);
    decoded[index] = member;
    isMutable ||= holdsMutable(member);
  }
  return Object.freeze(isMutable ? marked(decoded) : decoded);
}

function plainObject(decoded: Record<string, unknown>, generated: ReadonlySet<unknown>): object {
  const plain: Record<string, unknown> = {};
  let isMutable = false;
  for (const name of Object.keys(decoded)) {
    const member = plainFrozen(decoded[name], generated);
    plain[name] = member;
    isMutable ||= holdsMutable(member);
  }
  return Object.freeze(isMutable ? marked(plain) : plain);
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
  for (let index = 0; index < owned.length; index++) {
    const loss = findLoss((given as readonly unknown[])[index], owned[index]);
    if (loss !== undefined) return { ...loss, path: [index, ...loss.path] };
  }
  return undefined;
}

function findLossInObject(given: object, owned: Record<string, unknown>): Loss | undefined {
  const reason = reasonAgainst(given, owned);
  if (reason !== undefined) return { reason, path: [] };
  for (const name of Object.keys(owned)) {
    const loss = findLoss((given as Record<string, unknown>)[name], owned[name]);
    if (loss !== undefined) return { ...loss, path: [name, ...loss.path] };
  }
  return undefined;
}

function reasonAgainst(given: object, owned: Record<string, unknown>): string | undefined {
  const kind = isPlain(given) ? undefined : kindOf(given);
  // To Avro these are objects without any property.
  if (kind !== undefined) return `an instance of ${kind} in the place of an object`;
  if (Object.getOwnPropertySymbols(given).length > 0) return "an object with a symbol as key";
  for (const name of Object.keys(given)) {
    // Decoding a map would set the prototype.
    if (name === "__proto__") return "a property named __proto__";
    // A name that came back is well-formed.
    if (owned[name] === undefined && !isWellFormed(name)) return "a key with a surrogate that lacks its pair";
  }
  return undefined;
}

function kindOf(given: object): string | undefined {
  if (Array.isArray(given)) return "Array";
  const prototype = Object.getPrototypeOf(given) as object | null;
  return prototype === null ? undefined : kindOfPrototype(prototype);
}
