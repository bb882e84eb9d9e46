/** Cyclic redundancy checks of 32 bits whose bits are reflected. What is carried from byte to byte is the register: the complement of the checksum. */

const SLICES = 8;

export class Crc {
  /** Row `n`, of 256, tells what a byte does that is followed by `n` more. */
  readonly table: Uint32Array;

  constructor(polynomial: number) {
    this.table = tableOf(polynomial);
  }

  /** What `register` is after `bytes` from `start` to `end`. */
  after(register: number, bytes: Uint8Array, start: number, end: number): number {
    const { table } = this;
    let crc = register;
    let at = start;
    for (; at + SLICES <= end; at += SLICES) {
      crc ^= word(bytes, at);
      const next = word(bytes, at + 4);
      crc =
        (table[1792 + (crc & 0xff)] as number) ^
        (table[1536 + ((crc >>> 8) & 0xff)] as number) ^
        (table[1280 + ((crc >>> 16) & 0xff)] as number) ^
        (table[1024 + (crc >>> 24)] as number) ^
        (table[768 + (next & 0xff)] as number) ^
        (table[512 + ((next >>> 8) & 0xff)] as number) ^
        (table[256 + ((next >>> 16) & 0xff)] as number) ^
        (table[next >>> 24] as number);
    }
    for (; at < end; at++) crc = (table[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
    return crc >>> 0;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function tableOf(polynomial: number): Uint32Array {
  const table = new Uint32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = (register & 1) === 1 ? (register >>> 1) ^ polynomial : register >>> 1;
    table[byte] = register;
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256] as number;
    table[index] = (table[before & 0xff] as number) ^ (before >>> 8);
  }
  return table;
}
