/** MurmurHash3 x86 32-bit, seed 0, as published by Austin Appleby. Written for the model alone: shares nothing with core. */

export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeBlocks = Math.floor(bytes.length / 4);
  let hash = 0;
  for (let block = 0; block < wholeBlocks; block++) {
    hash ^= mixed(view.getUint32(block * 4, true));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (const [index, byte] of bytes.subarray(wholeBlocks * 4).entries()) tail |= byte << (8 * index);
  hash ^= mixed(tail);
  return finished(hash ^ bytes.length);
}

function mixed(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function finished(hash: number): number {
  let rest = hash ^ (hash >>> 16);
  rest = Math.imul(rest, 0x85ebca6b);
  rest ^= rest >>> 13;
  rest = Math.imul(rest, 0xc2b2ae35);
  return (rest ^ (rest >>> 16)) >>> 0;
}
