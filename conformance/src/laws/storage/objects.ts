/** What the laws of a storage read and put. */

import { type CheckpointStorage, type ErrorCode, hasCode } from "@tidemark/core";
import { seededRandom } from "../../faults/seeded-random.js";
import { expectEqual, expectThat, outcomeText, type Settled, settled } from "../../oracles/expectations.js";
import { listNames, readObject } from "../../oracles/stored-objects.js";

export const bytes = (text: string): Uint8Array => Buffer.from(text);

export async function* stream(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** Bytes that `seed` repeats: no two lengths or seeds alike. */
export function someBytes(length: number, seed = length): Buffer {
  const block = seededRandom(seed + 1).bytes(Math.min(length, 4096 - 1));
  const body = Buffer.alloc(length);
  for (let at = 0; at < length; at += block.length) body.set(block.subarray(0, length - at), at);
  return body;
}

/** Throws unless the names of all objects below `prefix` are `names`. */
export async function expectNames(storage: CheckpointStorage, names: readonly string[], prefix = ""): Promise<void> {
  const found = await listNames(storage, prefix);
  expectEqual(found, [...names].sort(), `list(${JSON.stringify(prefix)})`);
}

/** Throws unless the object has exactly these bytes. */
export async function expectObject(storage: CheckpointStorage, name: string, body: Uint8Array): Promise<void> {
  expectBytes(await readObject(storage, name), body, `get(${JSON.stringify(name)})`);
}

export function expectBytes(found: Uint8Array, body: Uint8Array, what: string): void {
  if (Buffer.compare(found, body) === 0) return;
  const at = body.findIndex((byte, index) => byte !== found[index]);
  const where = found.length === body.length || at !== -1 ? `, the first wrong byte is ${at}` : "";
  throw new Error(`${what}: found ${found.length} bytes where ${body.length} were expected${where}`);
}

/** Throws unless the object is absent, and said to be. */
export async function expectAbsent(storage: CheckpointStorage, name: string): Promise<void> {
  await expectRefused(() => readObject(storage, name), "CHECKPOINT_NOT_FOUND", `get(${JSON.stringify(name)})`);
}

/** What a refusal is: a code, or the kind of error that a caller's mistake is. */
export type Refusal = ErrorCode | typeof RangeError | typeof TypeError;

/** Throws unless `work` fails in that way. */
export async function expectRefused(work: () => Promise<unknown>, refusal: Refusal, what: string): Promise<void> {
  expectRefusal(await settled(Promise.resolve().then(work)), refusal, what);
}

/** Throws unless `result` is such a failure. */
export function expectRefusal(result: Settled<unknown>, refusal: Refusal, what: string): void {
  const isRight =
    "error" in result &&
    (typeof refusal === "string" ? hasCode(result.error, refusal) : result.error instanceof refusal);
  const expected = typeof refusal === "string" ? refusal : refusal.name;
  expectThat(isRight, `${what}: expected ${expected}, ${outcomeText(result)}`);
}
