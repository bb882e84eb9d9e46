/** A body as one buffer: the caller may reuse its own after each chunk. */

export async function collect(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("A body consists of bytes.");
    chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}
