/**
 * Judges, before the first record, whether an operator as declared can continue from an operator as checkpointed.
 *
 * Invariants:
 * - States are matched by name alone, timers by kind: no name of a state can be mistaken for them. A state keeps its id for ever.
 * - A state that is checkpointed but no longer declared keeps its id and its entries: nothing is lost by leaving it out.
 */

import type { CodecName, OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import { isTimerKind } from "../table/timer-kinds.js";
import { quoted, StateBackendError } from "../errors.js";

/** A state as declared, without an id yet. */
export type DeclaredState = Omit<StateManifest, "id">;

/** An operator as declared, in the terms of a manifest. */
export type DeclaredOperator = Omit<OperatorManifest, "states" | "tasks"> & {
  readonly states: readonly DeclaredState[];
};

/** A codec of a state, or of the record keys. */
export type CodecRole = "key" | "codec" | "namespace" | "field";

/** Whether the codec declared for a state takes over what the codec has written that it has in the checkpoint. */
export type TakesOver = (role: CodecRole, state: DeclaredState | undefined, stored: CodecName | undefined) => boolean;

/**
 * The states with their ids: of the checkpoint where it knows them, new ones otherwise; undeclared ones last.
 * @throws {StateBackendError} STATE_INCOMPATIBLE naming what differs
 */
export function matchStates(
  declared: DeclaredOperator,
  restored: OperatorManifest | undefined,
  takesOver: TakesOver = () => false,
): StateManifest[] {
  if (restored !== undefined) checkOperator(declared, restored, takesOver);
  const known = new Map(restored?.states.map((state) => [identityOf(state), state]));
  let nextId = [...known.values()].reduce((next, { id }) => Math.max(next, id + 1), 0);
  const matched = declared.states.map((state) => {
    const identity = identityOf(state);
    const before = known.get(identity);
    if (before !== undefined) checkState(declared.name, state, { before, takesOver });
    known.delete(identity);
    return { ...state, id: before?.id ?? nextId++ };
  });
  return [...matched, ...known.values()];
}

/** What tells a state from the others of its operator. */
function identityOf({ name, kind }: DeclaredState): string {
  return isTimerKind(kind) ? `timers ${kind}` : `state ${name}`;
}

const OPERATOR_REMEDIES: Readonly<Record<string, string>> = {
  maxParallelism: ", or rewrite a savepoint with rekeySavepoint",
  "key codec": ", or say with evolvedKey how its keys become those of today",
};

function checkOperator(declared: DeclaredOperator, restored: OperatorManifest, takesOver: TakesOver): void {
  const pairs: [string, unknown, unknown][] = [
    ["maxParallelism", declared.maxParallelism, restored.maxParallelism],
    ["keyHash", declared.keyHash, restored.keyHash],
    ["key codec", codecText(declared.key), codecText(restored.key)],
  ];
  for (const [what, now, then] of pairs) {
    if (now === then || (what === "key codec" && takesOver("key", undefined, restored.key))) continue;
    throw new StateBackendError(
      "STATE_INCOMPATIBLE",
      `The operator has another ${what} than its checkpoint. operator=${quoted(declared.name)} declared=${String(now)} checkpoint=${String(then)}. Declare it as it was${OPERATOR_REMEDIES[what] ?? ""}.`,
    );
  }
}

function checkState(
  operator: string,
  declared: DeclaredState,
  { before: restored, takesOver }: { readonly before: StateManifest; readonly takesOver: TakesOver },
): void {
  if (isAsBefore(declared, restored)) return;
  const pairs: [string, string, string, CodecRole?][] = [
    ["kind", declared.kind, restored.kind],
    ["value codec", codecText(declared.codec), codecText(restored.codec), "codec"],
    ["namespace codec", codecText(declared.namespace), codecText(restored.namespace), "namespace"],
    // Times of two kinds cannot be compared. A time to live that is turned on or off is converted.
    ["kind of time to live", ttlTime(declared, restored), ttlTime(restored, declared)],
    ["field codec", codecText(declared.field), codecText(restored.field), "field"],
  ];
  for (const [what, now, then, role] of pairs) {
    if (now === then || (role !== undefined && takesOver(role, declared, restored[role as "codec"]))) continue;
    const remedy =
      role === undefined
        ? "Declare it as it was,"
        : `Declare it as it was, say with ${role === "codec" ? "evolved" : "evolvedKey"} how what it has becomes what is declared,`;
    throw new StateBackendError(
      "STATE_INCOMPATIBLE",
      `The state has another ${what} than in its checkpoint. operator=${quoted(operator)} state=${quoted(declared.name)} declared=${quoted(now)} checkpoint=${quoted(then)}. ${remedy} or give the new one another name.`,
    );
  }
}

/** The usual case, without a word about it. */
function isAsBefore(declared: DeclaredState, restored: StateManifest): boolean {
  return (
    declared.kind === restored.kind &&
    isSameName(declared.codec, restored.codec) &&
    isSameName(declared.namespace, restored.namespace) &&
    isSameName(declared.field, restored.field) &&
    ttlTime(declared, restored) === ttlTime(restored, declared)
  );
}

function isSameName(a: CodecName | undefined, b: CodecName | undefined): boolean {
  return a?.id === b?.id && a?.version === b?.version;
}

function ttlTime({ ttl }: DeclaredState, other: DeclaredState): string {
  return ttl?.time ?? other.ttl?.time ?? "none";
}

function codecText(codec: { readonly id: string; readonly version: number } | undefined): string {
  return codec === undefined ? "none" : `${codec.id} version ${codec.version}`;
}
