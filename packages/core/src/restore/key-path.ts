/** Which codecs keys, namespaces and fields had, and how what they wrote becomes what is written today. */

import type { CodecName, OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import type { KeyCodec } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { StateDescriptor } from "../state/descriptors.js";
import { isTimerKind } from "../table/timer-kinds.js";
import { type DeclaredCodecs, isSameCodec } from "./value-migration.js";

/** An operator as far as its codecs are concerned, those of its timers included. */
export interface DeclaredKeys extends DeclaredCodecs {
  readonly maxParallelism: number;
  readonly timers: true | { readonly namespace: KeyCodec<unknown> } | undefined;
}

/** The codec that the checkpoint has, and the way to the bytes of today; without `convert` they stay as they are. */
export interface KeyPath {
  readonly codec: KeyCodec<unknown>;
  readonly convert?: (old: unknown) => BinaryKey;
}

/** The codecs of the namespaces and fields of a state. */
export interface ScopeCodecs {
  readonly namespace?: KeyCodec<unknown> | undefined;
  readonly field?: KeyCodec<unknown> | undefined;
}

/** Those that are declared; none for a state that is not. */
export function scopeCodecs(
  { states, timers }: DeclaredKeys,
  { name, kind }: Pick<StateManifest, "name" | "kind">,
): ScopeCodecs {
  if (isTimerKind(kind)) return typeof timers === "object" ? { namespace: timers.namespace } : {};
  const descriptor: StateDescriptor | undefined = Object.hasOwn(states, name) ? states[name] : undefined;
  if (descriptor === undefined) return {};
  const inner = descriptor.kind === "namespaced" ? descriptor.inner : descriptor;
  return {
    ...(descriptor.kind === "namespaced" ? { namespace: descriptor.namespace } : {}),
    ...("field" in inner ? { field: inner.field } : {}),
  };
}

/** The codec of record keys. */
export function keyCodecOf({ key }: DeclaredCodecs): KeyCodec<unknown> {
  return key;
}

/** Whether `codec` takes over the keys of the codec named `stored`, in however many steps. */
export function takesOverKeys(codec: KeyCodec<unknown> | undefined, stored: CodecName | undefined): boolean {
  return codec !== undefined && stored !== undefined && stepsFrom(codec, stored) !== undefined;
}

/** From the codec named `stored` to `codec`; `undefined` if it is not taken over. */
export function keyPath(codec: KeyCodec<unknown>, stored: CodecName): KeyPath | undefined {
  if (isSameCodec(codec, stored)) return { codec };
  const found = stepsFrom(codec, stored);
  if (found === undefined) return undefined;
  const convert = (old: unknown): BinaryKey => {
    let key = old;
    for (const step of found.steps) key = step(key);
    return codec.encode(key);
  };
  return { codec: found.codec, convert };
}

/** Whether the record keys of the checkpoint are in another codec. */
export function isOtherKey(operator: DeclaredCodecs, source: OperatorManifest): boolean {
  return !isSameCodec(operator.key, source.key);
}

/** `operator` with the codec in which the checkpoint has its keys. */
export function withStoredKey(operator: DeclaredCodecs, source: OperatorManifest): DeclaredCodecs {
  const path = keyPath(keyCodecOf(operator), source.key);
  if (path === undefined) return operator;
  return { name: operator.name, states: operator.states, key: path.codec as unknown as KeyCodec<never> };
}

interface Steps {
  readonly codec: KeyCodec<unknown>;
  readonly steps: readonly ((old: unknown) => unknown)[];
}

function stepsFrom(codec: KeyCodec<unknown>, stored: CodecName): Steps | undefined {
  for (const former of codec.former ?? []) {
    const step = (old: unknown): unknown => former.migrate(old);
    if (isSameCodec(former.codec, stored)) return { codec: former.codec, steps: [step] };
    const longer = stepsFrom(former.codec, stored);
    if (longer !== undefined) return { codec: longer.codec, steps: [...longer.steps, step] };
  }
  return undefined;
}
