/** The body of an object, in the pieces in which it is stored. */

import { quoted } from "@tidemark/core";

export type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** Bytes of a piece. Objects remember theirs, so this may change. */
export const CHUNK_BYTES = 512 * 1024;

/**
 * Pieces of `CHUNK_BYTES` each, the last one shorter; none for an empty body. Each is newly allocated.
 * @throws {TypeError} if the body consists of anything but bytes
 */
export async function* chunksOf(body: Body): AsyncGenerator<Buffer, void, undefined> {
  let filled = 0;
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for await (const part of body instanceof Uint8Array ? [body] : body) {
    if (!(part instanceof Uint8Array)) {
      throw new TypeError(`A body consists of Uint8Arrays. received=${quoted(typeof part)}.`);
    }
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + CHUNK_BYTES - filled);
      chunk.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
