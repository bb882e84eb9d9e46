/** Finds the key codec that a manifest names: one of Tidemark's own, or one that the caller has. */

import type { CodecName } from "../checkpoint/manifest.js";
import type { KeyCodec } from "../contracts/codec.js";
import { bigint, bytes, number, scalar, string, tuple } from "../key/key-codecs.js";

const BUILT_IN = [string(), bytes(), number(), bigint(), scalar()] as readonly KeyCodec<unknown>[];
const TUPLE = /^tuple\((.*)\)$/s;
const PART = /^(.*?)(?:@(\d+))?$/s;

/** The codec of that name; `undefined` if it is not among `own`, and not built in. */
export function storedKeyCodec(name: CodecName, own: readonly KeyCodec<unknown>[]): KeyCodec<unknown> | undefined {
  const known = [...own, ...BUILT_IN].find(({ id, version }) => id === name.id && version === name.version);
  const inner = TUPLE.exec(name.id)?.[1];
  if (known !== undefined || inner === undefined || name.version !== 1) return known;
  const parts = partsOf(inner).map((part) => storedKeyCodec(codecName(part), own));
  const all = parts.filter((part) => part !== undefined);
  return all.length === parts.length ? tuple(...all) : undefined;
}

/** What the commas outside of parentheses separate. */
function partsOf(inner: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] === "(") depth++;
    if (inner[at] === ")") depth--;
    if (inner[at] !== "," || depth > 0) continue;
    parts.push(inner.slice(start, at));
    start = at + 1;
  }
  return inner === "" ? [] : [...parts, inner.slice(start)];
}

function codecName(part: string): CodecName {
  const [, id = part, version = "1"] = PART.exec(part) ?? [];
  return { id, version: Number(version) };
}
