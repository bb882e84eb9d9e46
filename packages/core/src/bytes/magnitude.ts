/** Big integers as bytes, most significant first. */

/** The shortest non-empty bytes of `magnitude`, which is >= 0, in hexadecimal. */
export function hexOfMagnitude(magnitude: bigint): string {
  const digits = magnitude.toString(16);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

/** The integer >= 0 that `bytes`, at least one, stand for. */
export function magnitudeOfBytes(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

/** Inverts every bit of `bytes`, in place. */
export function invertBits(bytes: Buffer): void {
  for (let index = 0; index < bytes.length; index++) bytes[index] = ~(bytes[index] as number);
}
