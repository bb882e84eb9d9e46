/**
 * A JSON document under a one-line seal: `<magic> <version> <SHA-256 of the document>`, newline, document, newline.
 * @see docs/formats.md#sealed-documents
 */

import { createHash } from "node:crypto";
import { quoted, StateBackendError } from "../errors.js";

/** What a document is, and the highest version of it that we read. */
export interface SealedFormat {
  readonly magic: string;
  readonly version: number;
}

/** `version` is the lowest whose readers understand the content. */
export function sealJson(format: SealedFormat, content: object, version = format.version): Buffer {
  const body = JSON.stringify({ format: format.magic, version, ...content });
  return Buffer.from(`${format.magic} ${version} ${sha256(body)}\n${body}\n`, "utf8");
}

/**
 * The content of a sealed document. `parse` throws on content that is not what it should be.
 * @throws {StateBackendError} FORMAT_UNSUPPORTED if a newer version wrote it
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if it is not whole, or something else
 */
export function unsealJson<T>(
  bytes: Uint8Array,
  format: SealedFormat,
  { name, parse }: { readonly name: string; readonly parse: (json: unknown) => T },
): T {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const lineEnd = text.indexOf("\n");
  const seal = /^([a-z-]+) (\d{1,9}) ([0-9a-f]{64})$/.exec(text.slice(0, Math.max(0, lineEnd)));
  if (seal?.[1] !== format.magic) throw corruptDocument(name, "it does not begin as it must");
  if (Number(seal[2]) < 1 || Number(seal[2]) > format.version) {
    throw new StateBackendError(
      "FORMAT_UNSUPPORTED",
      `Document of another format version. name=${quoted(name)} format=${format.magic} version=${seal[2]} supported=1 to ${format.version}. Read it with a newer Tidemark.`,
    );
  }
  // As far as the line end the text is ASCII: as many bytes as characters.
  if (!text.endsWith("\n") || sha256(bytes.subarray(lineEnd + 1, -1)) !== seal[3]) {
    throw corruptDocument(name, "it fails its checksum");
  }
  try {
    const json = JSON.parse(text.slice(lineEnd + 1)) as { readonly version?: unknown };
    // The hash does not cover the seal: a flipped version must not be believed.
    if (json.version !== Number(seal[2])) throw new TypeError("the seal has another version than the document");
    return parse(json);
  } catch (cause) {
    throw corruptDocument(name, "its content is not what it must be", cause);
  }
}

/** The error for a stored document that cannot be believed. */
export function corruptDocument(name: string, what: string, cause?: unknown): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `A stored document is damaged: ${what}. name=${quoted(name)}. Restore another retained checkpoint, or bring the object back from a copy.`,
    { cause },
  );
}

function sha256(body: string | Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
