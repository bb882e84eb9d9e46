/**
 * What a storage holds of a job, read without core: names as docs/formats.md has them, manifests as text under a seal.
 */

import { createHash } from "node:crypto";
import type { CheckpointStorage } from "@tidemark/core";

/** A manifest as far as garbage goes. */
interface ManifestDocument {
  readonly checkpoint: number;
  readonly attempt: { readonly number: number };
  readonly operators: readonly {
    readonly tasks: readonly { readonly segments: readonly { readonly name: string }[] }[];
  }[];
}

/** Why the objects of a job are not exactly what its retained manifests need; `undefined` if they are. */
export async function inexactness(
  storage: CheckpointStorage,
  job: string,
  retained: readonly number[],
): Promise<string | undefined> {
  const names = await listNames(storage, `${jobPlace(job)}/`);
  const under = (folder: string): string[] =>
    names.filter((name) => name.split("/").at(-2) === folder).map((name) => name.split("/").at(-1) ?? "");
  const manifests = under("checkpoint");
  const ids = manifests.map((leaf) => Number(leaf.slice(0, 16))).sort((a, b) => a - b);
  if (ids.join() !== retained.join()) return `manifests of ${ids.join()} where ${retained.join()} are retained`;
  const needed = new Set<string>();
  for (const leaf of manifests) {
    for (const name of await segmentsOf(storage, `${jobPlace(job)}/checkpoint/${leaf}`)) needed.add(name);
  }
  const stored = new Set(under("segment"));
  const missing = [...needed].find((name) => !stored.has(name));
  if (missing !== undefined) return `segment ${missing} is missing`;
  const unneeded = [...stored].find((name) => !needed.has(name));
  if (unneeded !== undefined) return `segment ${unneeded} is garbage`;
  const records = [under("owner").length, under("lineage").length];
  return records.join() === "1,1"
    ? undefined
    : `${records.join(" and ")} owner and lineage records instead of one each`;
}

/** All names under a prefix, ascending. */
export async function listNames(storage: CheckpointStorage, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) names.push(name);
  return names.sort();
}

/** The bytes of an object. */
export async function readObject(storage: CheckpointStorage, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Names of the segments that a manifest lists. */
async function segmentsOf(storage: CheckpointStorage, name: string): Promise<string[]> {
  const { operators } = parseManifest(await readObject(storage, name));
  return operators.flatMap(({ tasks }) => tasks.flatMap(({ segments }) => segments.map((segment) => segment.name)));
}

/** One line `tidemark-manifest <1 or 2> <SHA-256 of the document>`, then the document. */
export function parseManifest(bytes: Buffer): ManifestDocument {
  const lineEnd = bytes.indexOf("\n");
  const [magic, version, sha256] = bytes.subarray(0, lineEnd).toString("latin1").split(" ");
  const document = bytes.subarray(lineEnd + 1, -1);
  const actual = createHash("sha256").update(document).digest("hex");
  const isKnown = magic === "tidemark-manifest" && (version === "1" || version === "2");
  if (!isKnown || sha256 !== actual) throw new Error("Not a whole manifest.");
  return JSON.parse(document.toString("utf8")) as ManifestDocument;
}

/** The folder of a job: its name if that is plain, else its hash. */
function jobPlace(job: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(job)) return `n-${job}`;
  return `h-${createHash("sha256").update(job, "utf16le").digest("hex")}`;
}
